// What people did to a merchant, the owner of sites. Stream `merchant-{id}`.
export type MerchantEvent = {
  readonly type: 'MerchantRegistered';
  readonly data: { readonly merchant: string; readonly name: string };
};
