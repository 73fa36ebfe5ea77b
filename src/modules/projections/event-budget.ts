// How many events all partitions of a process may have gathered and not committed yet. Each may fill
// a large run when it is alone; together they make do with smaller ones, so that catching up on many
// partitions takes no more memory than on one.
export class EventBudget {
  #taken = 0;

  constructor(private readonly eventsMax: number) {}

  share(): BudgetShare {
    return new BudgetShare({
      hasRoom: () => this.#taken < this.eventsMax,
      change: (events) => (this.#taken += events),
    });
  }
}

/** One partition's part of the budget. */
export class BudgetShare {
  #taken = 0;

  constructor(private readonly budget: { hasRoom(): boolean; change(events: number): void }) {}

  hasRoom(): boolean {
    return this.budget.hasRoom();
  }

  take(events: number): void {
    this.#taken += events;
    this.budget.change(events);
  }

  /** Of what was taken. */
  giveBack(events: number): void {
    this.take(-events);
  }

  /** A failure: nothing is under way any more. */
  giveBackAll(): void {
    this.giveBack(this.#taken);
  }
}
