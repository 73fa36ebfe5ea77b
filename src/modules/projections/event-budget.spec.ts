import { EventBudget } from './event-budget.js';

describe('event budget', () => {
  it('is shared: what one partition has taken the others lack', () => {
    const budget = new EventBudget(100);
    const [one, other] = [budget.share(), budget.share()];
    one.take(99);
    expect(other.hasRoom()).toBe(true);
    other.take(10);
    expect(one.hasRoom()).toBe(false);
    one.giveBack(99);
    expect(other.hasRoom()).toBe(true);
  });

  it('gets back from a failed partition just what that one had', () => {
    const budget = new EventBudget(100);
    const [one, other] = [budget.share(), budget.share()];
    one.take(60);
    one.giveBack(20);
    other.take(70);
    one.giveBackAll();
    one.giveBackAll();
    expect(other.hasRoom()).toBe(true);
    other.take(30);
    expect(one.hasRoom()).toBe(false);
  });
});
