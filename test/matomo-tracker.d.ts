// Matomo's client for Node has no types of its own: what the spec that runs it needs.
declare module 'matomo-tracker' {
  export default class MatomoTracker {
    constructor(site: string, url: string);
    on(event: 'error', listener: (error: unknown) => void): void;
    track(parameters: object): void;
    trackBulk(requests: readonly object[], done: (answer: string) => void): void;
  }
}
