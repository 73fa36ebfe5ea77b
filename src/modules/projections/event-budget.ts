// How much all partitions of a process may have gathered and not committed yet, in weights of events. Each may fill
// a large run when it is alone; together they make do with smaller ones, so that catching up on many
// partitions takes no more memory than on one.
export class EventBudget {
  #taken = 0;

  constructor(private readonly weightMax: number) {}

  share(): BudgetShare {
    return new BudgetShare({
      hasRoom: () => this.#taken < this.weightMax,
      change: (weight) => (this.#taken += weight),
    });
  }
}

/** One partition's part of the budget. */
export class BudgetShare {
  #taken = 0;

  constructor(private readonly budget: { hasRoom(): boolean; change(weight: number): void }) {}

  hasRoom(): boolean {
    return this.budget.hasRoom();
  }

  take(weight: number): void {
    this.#taken += weight;
    this.budget.change(weight);
  }

  /** Of what was taken. */
  giveBack(weight: number): void {
    this.take(-weight);
  }

  /** A failure: nothing is under way any more. */
  giveBackAll(): void {
    this.giveBack(this.#taken);
  }
}
