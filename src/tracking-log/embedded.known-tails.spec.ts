import { KnownTails } from './embedded.known-tails.js';

const tail = { sequence: 5, appendedAt: 1_000 };

function written(transaction: number): KnownTails {
  const tails = new KnownTails();
  tails.begin(transaction);
  tails.written(2, tail);
  return tails;
}

describe('known tails', () => {
  it('hold in the transaction after the one that wrote them', () => {
    const tails = written(7);
    tails.begin(8);
    expect(tails.get(2)).toEqual(tail);
    expect(tails.get(3)).toBeUndefined();
  });

  it('are forgotten where somebody else wrote between the two', () => {
    const tails = written(7);
    tails.begin(9);
    expect(tails.get(2)).toBeUndefined();
  });

  it('are forgotten where somebody else wrote under the number of a transaction that wrote nothing', () => {
    const tails = written(7);
    tails.begin(8);
    tails.begin(9);
    expect(tails.get(2)).toBeUndefined();
  });

  it('hold where a transaction that wrote nothing left its number to the next', () => {
    const tails = written(7);
    tails.begin(8);
    tails.begin(8);
    expect(tails.get(2)).toEqual(tail);
  });

  it('are looked up again after batches were removed, and after a failure', () => {
    const removed = written(7);
    removed.written(2, undefined);
    removed.begin(8);
    expect(removed.get(2)).toBeUndefined();
    const failed = written(7);
    failed.forget();
    failed.begin(8);
    expect(failed.get(2)).toBeUndefined();
  });
});
