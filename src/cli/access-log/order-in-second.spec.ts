import { OrderInSecond } from './order-in-second.js';

describe('OrderInSecond', () => {
  it('sets the page views of a visitor in one second a millisecond apart, in order', () => {
    const order = new OrderInSecond();
    expect([order.next('a', 5_000), order.next('a', 5_000), order.next('a', 5_000)]).toEqual([
      5_000, 5_001, 5_002,
    ]);
  });

  it('tells visitors and seconds apart, lines out of order too', () => {
    const order = new OrderInSecond();
    expect([
      order.next('a', 5_000),
      order.next('b', 5_000),
      order.next('a', 6_000),
      order.next('a', 5_000),
    ]).toEqual([5_000, 5_000, 6_000, 5_001]);
  });

  it('never reaches the next second', () => {
    const order = new OrderInSecond();
    const times = Array.from({ length: 1_500 }, () => order.next('a', 5_000));
    expect(Math.max(...times)).toBe(5_999);
  });

  it('forgets what lies far back', () => {
    const order = new OrderInSecond();
    order.next('a', 5_000);
    for (let visitor = 0; visitor < 16_384; visitor++) order.next(`v${visitor}`, 5_000);
    expect(order.next('a', 5_000)).toBe(5_000);
  });
});
