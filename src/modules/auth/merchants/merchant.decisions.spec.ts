import type { NewEvent, RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent, Role } from '../../../events/merchant.events.js';
import {
  type Merchant,
  merchantFold,
  type MerchantState,
  presentMerchant,
  registerMerchant,
} from './merchant.aggregate.js';
import {
  type Actor,
  decide,
  type InvitationDraft,
  type MerchantDecision,
  type MerchantWish,
} from './merchant.decisions.js';

const now = new Date('2026-11-21T10:00:00Z');
const later = new Date('2026-11-28T10:00:00Z');

const recorded = (event: NewEvent, revision: number): RecordedEvent =>
  Object.assign({}, event, {
    stream: 'merchant-m',
    revision,
    position: `${revision}`,
    recordedAt: now,
  });

const given = (...events: readonly (NewEvent & MerchantEvent)[]): MerchantState =>
  events
    .map((event, revision) => recorded(event, revision))
    .reduce((state, event) => merchantFold.evolve(state, event), merchantFold.initial);

const joined = (person: string, role: Role, invitation?: string): MerchantEvent => ({
  type: 'MemberJoined',
  data: { merchant: 'm', person, role, ...(invitation !== undefined && { invitation }) },
});
const shop = registerMerchant('m', 'Shop');
const draft: InvitationDraft = {
  ...{ id: 'i1', role: 'editor', email: 'sealed', addressDigest: 'address 1', tokenDigest: 'token 1' },
  expiresAt: later,
};
const sent = (about: Partial<InvitationDraft> = {}): MerchantEvent => {
  const { id, expiresAt, ...rest } = { ...draft, ...about };
  return {
    type: 'InvitationSent',
    data: { merchant: 'm', invitation: id, ...rest, expiresAt: expiresAt.toISOString() },
  };
};
const withdrawn: MerchantEvent = { type: 'InvitationWithdrawn', data: { merchant: 'm', invitation: 'i1' } };

/** One of each role, and a second owner where asked for. */
const people = (...more: readonly MerchantEvent[]): Merchant =>
  given(
    shop,
    joined('olga', 'owner'),
    joined('ada', 'admin'),
    joined('ed', 'editor'),
    joined('vi', 'viewer'),
    ...more,
  ) as Merchant;

const by = (person: string): Actor => ({ person });
const decided = (merchant: Merchant, actor: Actor, wish: MerchantWish): MerchantDecision =>
  decide(merchant, wish, { actor, now });
const event = (type: MerchantEvent['type'], data: object) => ({
  event: { type, data: { merchant: 'm', ...data } },
});

describe('a merchant', () => {
  it('is absent, then what its events made of it', () => {
    expect(given()).toBe('absent');
    expect(given(joined('olga', 'owner'))).toBe('absent');
    const { members, invitations, ...rest } = people(
      { type: 'MerchantRenamed', data: { merchant: 'm', name: 'Shops' } },
      { type: 'MemberRoleChanged', data: { merchant: 'm', person: 'vi', role: 'editor' } },
      { type: 'MemberRoleChanged', data: { merchant: 'm', person: 'nobody', role: 'owner' } },
      { type: 'MemberLeft', data: { merchant: 'm', person: 'ed' } },
      sent(),
      sent({ id: 'i2' }),
      sent({ id: 'i3' }),
      joined('new', 'editor', 'i2'),
      withdrawn,
      { type: 'SomethingOfALaterRelease', data: {} } as never,
    );
    expect(rest).toEqual({ id: 'm', name: 'Shops', createdAt: now, revision: 14 });
    expect([...members.values()].map(({ person, role, invitation }) => [person, role, invitation])).toEqual([
      ['olga', 'owner', undefined],
      ['ada', 'admin', undefined],
      ['vi', 'editor', undefined],
      ['new', 'editor', 'i2'],
    ]);
    expect([...invitations.values()]).toEqual([{ ...draft, id: 'i3', sentAt: now }]);
  });

  it('is renamed by those who manage it', () => {
    const wish = { wish: 'rename', name: 'New' } as const;
    for (const actor of ['operator', 'key', by('olga'), by('ada')] as const) {
      expect(decided(people(), actor, wish)).toEqual(event('MerchantRenamed', { name: 'New' }));
    }
    expect(decided(people(), by('ed'), wish)).toEqual({ refused: 'not-allowed' });
    expect(decided(people(), 'key', { wish: 'rename', name: 'Shop' })).toEqual({ event: null });
  });
});

describe('a role', () => {
  const change = (actor: Actor, person: string, role: Role, merchant = people()) =>
    decided(merchant, actor, { wish: 'change-role', person, role });
  const done = (person: string, role: Role) => event('MemberRoleChanged', { person, role });

  it('below owner is given and taken by admins, keys, owners and the operator', () => {
    for (const actor of ['operator', 'key', by('olga'), by('ada')] as const) {
      expect(change(actor, 'vi', 'admin')).toEqual(done('vi', 'admin'));
      expect(change(actor, 'ada', 'viewer')).toEqual(done('ada', 'viewer'));
      expect(change(actor, 'ed', 'editor')).toEqual({ event: null });
      expect(change(actor, 'nobody', 'viewer')).toEqual({ refused: 'member-unknown' });
    }
  });

  it('is not for members without that power, nor for those who lost it', () => {
    for (const actor of [by('ed'), by('vi'), by('nobody')]) {
      expect(change(actor, 'vi', 'admin')).toEqual({ refused: 'not-allowed' });
    }
    const left = people({ type: 'MemberLeft', data: { merchant: 'm', person: 'ada' } });
    expect(change(by('ada'), 'vi', 'admin', left)).toEqual({ refused: 'not-allowed' });
  });

  it('of an owner is the matter of owners and the operator', () => {
    const two = people(joined('otto', 'owner'));
    for (const actor of ['key', by('ada')] as const) {
      expect(change(actor, 'ada', 'owner', two)).toEqual({ refused: 'owners-only' });
      expect(change(actor, 'otto', 'viewer', two)).toEqual({ refused: 'owners-only' });
    }
    for (const actor of ['operator', by('olga')] as const) {
      expect(change(actor, 'ada', 'owner', two)).toEqual(done('ada', 'owner'));
      expect(change(actor, 'otto', 'viewer', two)).toEqual(done('otto', 'viewer'));
      expect(change(actor, 'olga', 'viewer', two)).toEqual(done('olga', 'viewer'));
    }
  });

  it('of the last owner stays', () => {
    for (const actor of ['operator', by('olga')] as const) {
      expect(change(actor, 'olga', 'admin')).toEqual({ refused: 'last-owner' });
      expect(change(actor, 'olga', 'owner')).toEqual({ event: null });
    }
  });
});

describe('a member', () => {
  const remove = (actor: Actor, person: string, merchant = people()) =>
    decided(merchant, actor, { wish: 'remove', person });
  const gone = (person: string) => event('MemberLeft', { person });

  it('is removed by those who may, and may leave', () => {
    expect(remove('key', 'ed')).toEqual(gone('ed'));
    expect(remove(by('ada'), 'ada')).toEqual(gone('ada'));
    expect(remove(by('vi'), 'vi')).toEqual(gone('vi'));
    expect(remove(by('vi'), 'ed')).toEqual({ refused: 'not-allowed' });
    expect(remove(by('nobody'), 'nobody')).toEqual({ refused: 'member-unknown' });
    expect(remove('operator', 'nobody')).toEqual({ refused: 'member-unknown' });
  });

  it('who is an owner is removed by owners, but for the last', () => {
    const two = people(joined('otto', 'owner'));
    expect(remove(by('ada'), 'otto', two)).toEqual({ refused: 'owners-only' });
    expect(remove('key', 'otto', two)).toEqual({ refused: 'owners-only' });
    expect(remove(by('olga'), 'otto', two)).toEqual(gone('otto'));
    expect(remove(by('olga'), 'olga', two)).toEqual(gone('olga'));
    expect(remove(by('olga'), 'olga')).toEqual({ refused: 'last-owner' });
    expect(remove('operator', 'olga')).toEqual({ refused: 'last-owner' });
  });
});

describe('an invitation', () => {
  const invite = (actor: Actor, invitation: InvitationDraft = draft, merchant = people()) =>
    decided(merchant, actor, { wish: 'invite', invitation });
  const accept = (merchant: Merchant, person = 'new', tokenDigest = 'token 1') =>
    decide(merchant, { wish: 'accept', invitation: 'i1', person, tokenDigest }, { actor: by(person), now });

  it('is sent by those who manage members; of an owner, by owners', () => {
    for (const actor of ['operator', 'key', by('olga'), by('ada')] as const) {
      expect(invite(actor)).toEqual({ event: sent() });
    }
    const ofOwner: InvitationDraft = { ...draft, role: 'owner' };
    for (const actor of ['key', by('ada')] as const) {
      expect(invite(actor, ofOwner)).toEqual({ refused: 'owners-only' });
    }
    for (const actor of ['operator', by('olga')] as const) {
      expect(invite(actor, ofOwner)).toEqual({ event: sent({ role: 'owner' }) });
    }
    for (const actor of [by('ed'), by('vi'), by('nobody')]) {
      expect(invite(actor)).toEqual({ refused: 'not-allowed' });
    }
  });

  it('is one for each address, until it is used, withdrawn or expired', () => {
    const again: InvitationDraft = { ...draft, id: 'i9', tokenDigest: 'token 9' };
    expect(invite('key', again, people(sent()))).toEqual({ refused: 'invited-already' });
    expect(invite('key', draft, people(sent()))).toEqual({ event: null });
    expect(invite('key', { ...again, addressDigest: 'address 2' }, people(sent()))).toHaveProperty('event');
    expect(invite('key', again, people(sent(), withdrawn))).toHaveProperty('event');
    expect(invite('key', again, people(sent(), joined('new', 'editor', 'i1')))).toHaveProperty('event');
    expect(invite('key', again, people(sent({ expiresAt: now })))).toHaveProperty('event');
  });

  it('is refused when there are a hundred open ones', () => {
    const open = (count: number) =>
      people(...Array.from({ length: count }, (_, n) => sent({ id: `x${n}`, addressDigest: `x${n}` })));
    expect(invite('key', draft, open(99))).toHaveProperty('event');
    expect(invite('key', draft, open(100))).toEqual({ refused: 'invitations-too-many' });
  });

  it('makes whoever shows its token a member, in the role it names, once', () => {
    const open = people(sent());
    expect(accept(open)).toEqual(event('MemberJoined', { person: 'new', role: 'editor', invitation: 'i1' }));
    const used = people(sent(), joined('new', 'editor', 'i1'));
    expect(accept(used, 'another')).toEqual({ refused: 'invitation-not-open' });
    // Whose client did not hear the first answer.
    expect(accept(used)).toEqual({ event: null });
  });

  it('is refused with another token, once it has expired, was withdrawn, or never was', () => {
    const refused = { refused: 'invitation-not-open' };
    expect(accept(people(sent()), 'new', 'token 2')).toEqual(refused);
    expect(accept(people(sent({ expiresAt: now })))).toEqual(refused);
    expect(accept(people(sent({ expiresAt: new Date(now.getTime() + 1) })))).toHaveProperty('event');
    expect(accept(people(sent(), withdrawn))).toEqual(refused);
    expect(accept(people())).toEqual(refused);
  });

  it('is of no use to a member', () => {
    expect(accept(people(sent()), 'ed')).toEqual({ refused: 'member-already' });
  });

  it('is of no use where there are a thousand members', () => {
    const members = (count: number) => Array.from({ length: count }, (_, n) => joined(`p${n}`, 'viewer'));
    expect(accept(people(...members(995), sent()))).toHaveProperty('event');
    expect(accept(people(...members(996), sent()))).toEqual({ refused: 'members-too-many' });
  });

  it('is withdrawn by those who manage members; of an owner, by owners', () => {
    const withdraw = (actor: Actor, merchant: Merchant) =>
      decided(merchant, actor, { wish: 'withdraw', invitation: 'i1' });
    expect(withdraw(by('ada'), people(sent()))).toEqual({ event: withdrawn });
    expect(withdraw(by('ed'), people(sent()))).toEqual({ refused: 'not-allowed' });
    expect(withdraw('key', people(sent({ role: 'owner' })))).toEqual({ refused: 'owners-only' });
    expect(withdraw(by('olga'), people(sent({ role: 'owner' })))).toEqual({ event: withdrawn });
    expect(withdraw('operator', people())).toEqual({ refused: 'invitation-unknown' });
  });
});

describe('deleting the merchant', () => {
  const wish = (confirm: string): MerchantWish => ({ wish: 'delete', confirm });
  const deleted = event('MerchantDeleted', { members: ['olga', 'ada', 'ed', 'vi'] });

  it('is for owners and the operator, who name it', () => {
    for (const actor of [by('olga'), 'operator'] as const) {
      expect([decided(people(), actor, wish('Shop')), decided(people(), actor, wish('m'))]).toEqual([
        deleted,
        deleted,
      ]);
      for (const confirm of ['', 'shop', 'Shops', 'M']) {
        expect(decided(people(), actor, wish(confirm))).toEqual({ refused: 'not-confirmed' });
      }
    }
    for (const actor of [by('ada'), by('ed'), by('vi'), 'key'] as const) {
      expect(decided(people(), actor, wish('Shop'))).toEqual({ refused: 'owner-needed' });
    }
    expect(decided(people(), by('nobody'), wish('Shop'))).toEqual({ refused: 'no-member' });
  });

  it("is not for the operators' own", () => {
    const own = given(registerMerchant('default', 'Default')) as Merchant;
    expect(decided(own, 'operator', wish('default'))).toEqual({ refused: 'operators-own' });
  });

  it('leaves who did it and when, whatever came after', () => {
    const after = given(shop, joined('olga', 'owner'), {
      ...deleted.event,
      metadata: { by: 'person-olga' },
    } as unknown as MerchantEvent);
    expect(after).toEqual({ id: 'm', deletedAt: now, deletedBy: 'person-olga' });
    const erased = recorded({ type: 'MerchantErased', data: { merchant: 'm', rows: 3 } }, 4);
    expect(merchantFold.evolve(after, erased)).toEqual(after);
    expect(presentMerchant(after)).toBeUndefined();
  });
});
