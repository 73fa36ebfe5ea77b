// A repair of kafkajs 2.2.4: after its first answer every connection asks itself a thousand times a
// second whether requests wait, for ever (a timer set to a negative time). With a connection for each
// partition that is read, an idle process would use a good part of a core.
// @ts-expect-error kafkajs declares no types for its parts
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

interface Queue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
}

interface QueuePrototype {
  scheduleCheckPendingRequests: (this: Queue) => void;
}

let isDone = false;

export function quietIdleConnections(): void {
  if (isDone) return;
  isDone = true;
  const { prototype } = RequestQueue as { prototype: QueuePrototype };
  const { scheduleCheckPendingRequests: schedule } = prototype;
  prototype.scheduleCheckPendingRequests = function scheduleIfNeeded(): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
