// Follows a job to its end by asking for it again and again. A server that is away for a while, as it is while
// it is deployed, is waited for.
import { type ApiClient, type ApiReply, isSuccess } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { CliFailure, NegativeOutcome } from '../failure.js';
import { type ExportJob, type FinishedExport, isUnderWay, jobLine, jobPath } from './export-job.js';
import type { ProgressLine } from './progress-line.js';

const ASK_INTERVAL_MS = 1_000;
const SILENCE_MAX_MS = 120_000;
const MAY_PASS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

export interface Following {
  readonly site: string;
  readonly client: ApiClient;
  readonly context: CommandContext;
  readonly line: ProgressLine;
  readonly signal: AbortSignal;
}

/** @throws CliFailure unless the job is done in the end; NegativeOutcome when nobody waits for it */
export async function followJob(id: string, following: Following): Promise<FinishedExport> {
  const { site, client, context, line, signal } = following;
  const goesOn = `The job goes on without you. Fetch its result: tidemark export ${site} --job ${id}`;
  let answeredAt = context.now();
  for (;;) {
    const reply = await client.send({ method: 'GET', path: jobPath(site, id), signal });
    if (signal.aborted) throw new NegativeOutcome(goesOn);
    if (reply.outcome === 'answered' && isSuccess(reply.status)) {
      const job = reply.body as ExportJob;
      answeredAt = context.now();
      if (!isUnderWay(job)) return finished(job);
      line.show(jobLine(job));
    } else if (!mayPass(reply)) throw new CliFailure(client.explain(reply));
    else if (context.now() - answeredAt > SILENCE_MAX_MS) {
      throw new CliFailure(`${client.explain(reply)}\n${goesOn}`);
    } else line.show('The server gives no answer; asking again');
    await context.sleep(ASK_INTERVAL_MS, signal);
    if (signal.aborted) throw new NegativeOutcome(goesOn);
  }
}

export const mayPass = (reply: ApiReply): boolean =>
  reply.outcome === 'unreachable' || MAY_PASS.has(reply.status);

function finished(job: ExportJob): FinishedExport {
  if (job.state === 'done' && job.result !== undefined) return { ...job, result: job.result };
  const reason = job.problem?.detail ?? job.problem?.title;
  switch (job.state) {
    case 'failed':
      throw new CliFailure(`The export failed${reason === undefined ? '.' : `: ${reason}`}`);
    case 'expired':
      throw new CliFailure('The result has expired: export again.');
    default:
      throw new CliFailure('The export was cancelled.');
  }
}
