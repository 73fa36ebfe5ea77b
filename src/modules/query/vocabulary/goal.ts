// What a site counts as a success: an event with a name, a pageview of a page, or a page read so far down.
// Goals are looked up when a query is normalised and stand in it whole, so that its cache key holds them.

/** Property → the value it must have, as text. All must hold. */
export type GoalProps = Readonly<Record<string, string>>;

/** `page`: a path with `*` for any characters, matched from beginning to end. */
export type GoalMatch =
  | { readonly kind: 'event'; readonly name: string; readonly props: GoalProps }
  | { readonly kind: 'page'; readonly page: string; readonly props: GoalProps }
  | {
      readonly kind: 'scroll';
      readonly page: string;
      readonly scrollDepth: number;
      readonly props: GoalProps;
    };

export interface Goal {
  readonly id: string;
  /** Shown and filtered by, unique in the site: `Signup`, `Visit /blog*`, `Scroll 50 on /blog*`, or a given one. */
  readonly name: string;
  readonly match: GoalMatch;
  /** ISO 4217: only amounts in it count as the goal's revenue; null: the goal has none. */
  readonly currency: string | null;
}
