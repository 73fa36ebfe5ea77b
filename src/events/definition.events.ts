// What a site's people defined for its reports. Stream `definitions-{site}`, one for all of a site's, so
// that one append decides about names, numbers and the goals that funnels name.

type MatchFields = {
  /** This or `pagePath`. */
  readonly eventName?: string;
  /** `*` stands for any characters. */
  readonly pagePath?: string;
  /** Percent, with `pagePath`. */
  readonly scrollDepth?: number;
  readonly props?: Readonly<Record<string, string>>;
};

export type GoalFields = MatchFields & {
  readonly name: string;
  /** ISO 4217. */
  readonly currency?: string;
};

export type SegmentFields = {
  readonly name: string;
  /** As requests write them. */
  readonly filters: readonly unknown[];
};

export type FunnelStepFields = MatchFields & {
  /** A goal's id, and nothing else then. */
  readonly goal?: string;
};

export type FunnelFields = {
  readonly name: string;
  readonly steps: readonly FunnelStepFields[];
  readonly windowSeconds?: number;
};

export type AnnotationFields = {
  /** Site-local days, `YYYY-MM-DD`, both included. */
  readonly from: string;
  readonly to: string;
  readonly text: string;
};

export interface DefinitionFields {
  readonly Goal: GoalFields;
  readonly Segment: SegmentFields;
  readonly Funnel: FunnelFields;
  readonly Annotation: AnnotationFields;
}

export type DefinitionKind = keyof DefinitionFields;

type Defined = {
  readonly site: string;
  readonly id: string;
};

/** A change says what is from now on, whole. */
type EventOf<Kind extends DefinitionKind> =
  | { readonly type: `${Kind}Created`; readonly data: Defined & DefinitionFields[Kind] }
  | { readonly type: `${Kind}Changed`; readonly data: Defined & DefinitionFields[Kind] }
  | { readonly type: `${Kind}Deleted`; readonly data: Defined };

export type DefinitionEvent =
  EventOf<'Goal'> | EventOf<'Segment'> | EventOf<'Funnel'> | EventOf<'Annotation'>;
