// A protocol double of EventStoreDB, not a server: speaks the part of its gRPC protocol that the
// drivers use (append with expected revisions, reads both ways, catch-up subscriptions to a stream
// and, filtered by prefix, to all), built on the service definitions that the client is built on. It
// knows no cluster, no ACLs, no truncation, and no batch append, and does not sync its journal.
//
//   eventstoredb-double.js PORT JOURNAL [memory]; with `memory` nothing is kept. With TLS_CERT, TLS_KEY (PEM files) and USER=name:password
//   it wants TLS and that user, as a server that is not `--insecure` does.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import {
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import {
  type ExpectedRevision,
  Journal,
  type JournalRecord,
  type ProposedRecord,
} from './eventstoredb-journal.js';

type AppendCall = ServerReadableStream<streams.AppendReq, streams.AppendResp>;
type ReadCall = ServerWritableStream<streams.ReadReq, streams.ReadResp>;

/** A server's default; counts what it counts. */
const APPEND_BYTES_MAX = 1_048_576;
const { BACKWARDS } = streams.ReadReq.Options.ReadDirection;
const DEFAULT_SEARCH_WINDOW = 32;

const [port, journalPath, keeps] = process.argv.slice(2);
const { TLS_CERT, TLS_KEY, USER } = process.env;
const journal = new Journal(keeps === 'memory' ? undefined : journalPath);

function failure(code: status, exception: string, facts: Readonly<Record<string, string>> = {}) {
  const metadata = new Metadata();
  metadata.set('exception', exception);
  for (const [name, fact] of Object.entries(facts)) metadata.set(name, fact);
  return { code, details: exception, metadata };
}

function isAllowed(call: AppendCall | ReadCall): boolean {
  if (TLS_CERT === undefined || USER === undefined) return true;
  return call.metadata.get('authorization')[0] === `Basic ${Buffer.from(USER).toString('base64')}`;
}

const nameOf = (identifier: shared.StreamIdentifier | undefined): string =>
  Buffer.from(identifier!.getStreamName_asU8()).toString('utf8');

function identifierOf(name: string): shared.StreamIdentifier {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(name, 'utf8').toString('base64'));
  return identifier;
}

async function append(call: AppendCall, answer: sendUnaryData<streams.AppendResp>): Promise<void> {
  if (!isAllowed(call)) return answer(failure(status.UNAUTHENTICATED, 'access-denied'));
  let options: streams.AppendReq.Options | undefined;
  const proposed: ProposedRecord[] = [];
  let bytes = 0;
  for await (const part of call as AsyncIterable<streams.AppendReq>) {
    options ??= part.getOptions();
    const message = part.getProposedMessage();
    if (!message) continue;
    const record = {
      id: message.getId()!.getString(),
      metadata: message.getMetadataMap().getEntryList(),
      customMetadata: message.getCustomMetadata_asU8(),
      data: message.getData_asU8(),
    };
    bytes += record.data.length + record.customMetadata.length;
    proposed.push(record);
  }
  if (bytes > APPEND_BYTES_MAX) {
    const facts = { 'maximum-append-size': String(APPEND_BYTES_MAX) };
    return answer(failure(status.INVALID_ARGUMENT, 'maximum-append-size-exceeded', facts));
  }
  answer(null, appendAnswer(options!, proposed));
}

function appendAnswer(
  options: streams.AppendReq.Options,
  proposed: readonly ProposedRecord[],
): streams.AppendResp {
  const expected = expectedRevision(options);
  const result = journal.append(nameOf(options.getStreamIdentifier()), proposed, expected);
  const response = new streams.AppendResp();
  if (result.outcome === 'wrong-revision') {
    const wrong = new streams.AppendResp.WrongExpectedVersion();
    if (result.current === 'no-stream') wrong.setCurrentNoStream(new shared.Empty());
    else wrong.setCurrentRevision(String(result.current));
    if (expected === 'no-stream') wrong.setExpectedNoStream(new shared.Empty());
    else if (expected === 'stream-exists') wrong.setExpectedStreamExists(new shared.Empty());
    else wrong.setExpectedRevision(String(expected));
    response.setWrongExpectedVersion(wrong);
    return response;
  }
  const success = new streams.AppendResp.Success();
  const position = new streams.AppendResp.Position();
  position.setCommitPosition(String(result.last.position));
  position.setPreparePosition(String(result.last.position));
  success.setCurrentRevision(String(result.last.revision));
  success.setPosition(position);
  response.setSuccess(success);
  return response;
}

function expectedRevision(options: streams.AppendReq.Options): ExpectedRevision {
  if (options.hasNoStream()) return 'no-stream';
  if (options.hasStreamExists()) return 'stream-exists';
  return options.hasAny() ? 'any' : Number(options.getRevision());
}

async function read(call: ReadCall): Promise<void> {
  const options = call.request.getOptions()!;
  if (!isAllowed(call)) return void call.emit('error', failure(status.UNAUTHENTICATED, 'access-denied'));
  if (options.hasSubscription()) return subscribe(call, options);
  const selected = options.hasAll() ? selectOfAll(options) : selectOfStream(options);
  if (selected === undefined) {
    const notFound = new streams.ReadResp.StreamNotFound();
    notFound.setStreamIdentifier(options.getStream()!.getStreamIdentifier());
    const response = new streams.ReadResp();
    response.setStreamNotFound(notFound);
    call.write(response);
  } else {
    for (const record of selected.slice(0, Number(options.getCount())))
      await send(call, eventResponse(record));
  }
  call.end();
}

/** Reads begin with the revision or position that they name. */
function selectOfStream(options: streams.ReadReq.Options): readonly JournalRecord[] | undefined {
  const from = options.getStream()!;
  const records = journal.stream(nameOf(from.getStreamIdentifier()));
  const revision = from.hasRevision() ? Number(from.getRevision()) : undefined;
  if (records === undefined) return undefined;
  if (options.getReadDirection() !== BACKWARDS) return from.hasEnd() ? [] : records.slice(revision ?? 0);
  return from.hasStart()
    ? []
    : records.slice(0, revision === undefined ? undefined : revision + 1).toReversed();
}

function selectOfAll(options: streams.ReadReq.Options): readonly JournalRecord[] {
  const from = options.getAll()!;
  const position = from.hasPosition() ? BigInt(from.getPosition()!.getCommitPosition()) : undefined;
  const backwards = options.getReadDirection() === BACKWARDS;
  const selected = journal.all.filter((record) =>
    position === undefined
      ? !(backwards ? from.hasStart() : from.hasEnd())
      : backwards
        ? record.position <= position
        : record.position >= position,
  );
  return backwards ? selected.toReversed() : selected;
}

/** Subscriptions begin after the revision or position that they name, and go on until cancelled. */
async function subscribe(call: ReadCall, options: streams.ReadReq.Options): Promise<void> {
  const confirmation = new streams.ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId('double');
  const confirmed = new streams.ReadResp();
  confirmed.setConfirmation(confirmation);
  call.write(confirmed);
  const source = sourceOf(options);
  let next = source.start;
  let sinceCheckpoint = 0;
  let caughtUp = false;
  while (!call.cancelled && !call.destroyed) {
    const record = source.records()[next];
    if (record === undefined) {
      if (!caughtUp) {
        const last = source.records()[next - 1];
        if (source.checkpointInterval !== undefined && last) await send(call, checkpointResponse(last));
        await send(call, caughtUpResponse());
        caughtUp = true;
      }
      await nextAppend(call);
      continue;
    }
    next++;
    if (source.matches(record)) await send(call, eventResponse(record));
    if (source.checkpointInterval !== undefined && ++sinceCheckpoint >= source.checkpointInterval) {
      sinceCheckpoint = 0;
      await send(call, checkpointResponse(record));
    }
    // A long scan must not keep the double from hearing that it was cancelled.
    if (next % 1_000 === 0) await setImmediate();
  }
}

interface Source {
  readonly records: () => readonly JournalRecord[];
  readonly start: number;
  readonly matches: (record: JournalRecord) => boolean;
  /** Records considered from one checkpoint to the next. */
  readonly checkpointInterval?: number;
}

function sourceOf(options: streams.ReadReq.Options): Source {
  const stream = options.getStream();
  if (stream) {
    const name = nameOf(stream.getStreamIdentifier());
    const records = () => journal.stream(name) ?? [];
    const start = stream.hasEnd()
      ? records().length
      : stream.hasRevision()
        ? Number(stream.getRevision()) + 1
        : 0;
    return { records, start, matches: () => true };
  }
  const from = options.getAll()!;
  const after = from.hasPosition() ? BigInt(from.getPosition()!.getCommitPosition()) : 0n;
  const first = journal.all.findIndex((record) => record.position > after);
  const start = from.hasEnd() || first === -1 ? journal.all.length : first;
  const filter = options.getFilter();
  if (!filter) return { records: () => journal.all, start, matches: () => true };
  const prefixes = filter.getStreamIdentifier()!.getPrefixList();
  return {
    records: () => journal.all,
    start,
    matches: ({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix)),
    checkpointInterval: (filter.getMax() || DEFAULT_SEARCH_WINDOW) * filter.getCheckpointintervalmultiplier(),
  };
}

async function nextAppend(call: ReadCall): Promise<void> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  call.once('cancelled', end);
  call.once('close', end);
  await once(journal.appends, 'append', { signal: ended.signal }).catch(() => undefined);
  call.removeListener('cancelled', end);
  call.removeListener('close', end);
}

/** Waits for a reader that is slow. */
async function send(call: ReadCall, response: streams.ReadResp): Promise<void> {
  if (call.cancelled || call.write(response)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      for (const event of ['drain', 'cancelled', 'close']) call.removeListener(event, go);
      resolve();
    };
    for (const event of ['drain', 'cancelled', 'close']) call.on(event, go);
  });
}

function eventResponse(record: JournalRecord): streams.ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(record.id);
  recorded.setId(id);
  recorded.setStreamIdentifier(identifierOf(record.stream));
  recorded.setStreamRevision(String(record.revision));
  recorded.setCommitPosition(String(record.position));
  recorded.setPreparePosition(String(record.position));
  for (const [name, value] of record.metadata) recorded.getMetadataMap().set(name, value);
  recorded.getMetadataMap().set('created', record.created);
  recorded.setCustomMetadata(record.customMetadata);
  recorded.setData(record.data);
  const event = new streams.ReadResp.ReadEvent();
  event.setEvent(recorded);
  event.setCommitPosition(String(record.position));
  const response = new streams.ReadResp();
  response.setEvent(event);
  return response;
}

function checkpointResponse({ position }: JournalRecord): streams.ReadResp {
  const checkpoint = new streams.ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(position));
  checkpoint.setPreparePosition(String(position));
  const response = new streams.ReadResp();
  response.setCheckpoint(checkpoint);
  return response;
}

function caughtUpResponse(): streams.ReadResp {
  const response = new streams.ReadResp();
  response.setCaughtUp(new streams.ReadResp.CaughtUp());
  return response;
}

const unsupported = (_: unknown, answer: sendUnaryData<never>): void =>
  answer(failure(status.UNIMPLEMENTED, 'unsupported'));

const server = new Server();
server.addService(streamsService.StreamsService, {
  append: (call: AppendCall, answer: sendUnaryData<streams.AppendResp>) =>
    // Cut off in the middle of sending: nothing was stored, and nobody is there to be told.
    void append(call, answer).catch(() => answer(failure(status.CANCELLED, 'cancelled'))),
  read: (call: ReadCall) => void read(call),
  delete: unsupported,
  tombstone: unsupported,
  batchAppend: (call: ReadCall) => void call.emit('error', failure(status.UNIMPLEMENTED, 'unsupported')),
});
const credentials =
  TLS_CERT === undefined || TLS_KEY === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(null, [
        { cert_chain: readFileSync(TLS_CERT), private_key: readFileSync(TLS_KEY) },
      ]);
server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => {
  if (error) throw error;
});
