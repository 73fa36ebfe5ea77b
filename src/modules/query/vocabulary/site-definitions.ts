// What a site's people defined and a query may name. Kept by the control plane; tests give their own.
import type { Goal, GoalMatch } from './goal.js';

export interface Segment {
  readonly id: string;
  readonly name: string;
  /** As requests write them. */
  readonly filters: readonly unknown[];
}

/** A goal of the site, as it is now, or a match of the funnel's own. */
export interface FunnelStep {
  /** The goal's name, or what a goal of this match would be called. */
  readonly name: string;
  readonly match: GoalMatch;
}

export interface FunnelDefinition {
  readonly id: string;
  readonly name: string;
  /** 2–10, in the order in which they must happen. */
  readonly steps: readonly FunnelStep[];
  /** From the first step to the last; null: whatever a funnel has that says none. */
  readonly windowSeconds: number | null;
}

export abstract class SiteDefinitions {
  /** All of them: another object as soon as one has changed. */
  abstract of(site: string): object;
  /** In the order in which they were made. */
  abstract goalsOf(site: string): readonly Goal[];
  /** Undefined: the site has none of that id. */
  abstract segmentOf(site: string, id: string): Segment | undefined;
  /** Undefined: the site has none of that id. */
  abstract funnelOf(site: string, id: string): FunnelDefinition | undefined;
}
