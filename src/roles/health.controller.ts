// What orchestrators and monitoring ask, in every role: does the process live, may it have
// traffic, what does it measure.
import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Telemetry } from '../telemetry/telemetry.js';
import { Readiness, type ReadinessReport } from './health-check.js';

@ApiExcludeController()
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly telemetry: Telemetry,
  ) {}

  /** No dependency is asked: a restart would not mend one. */
  @Get('health/live')
  @Header('cache-control', 'no-store')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('health/ready')
  @Header('cache-control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessReport> {
    const report = await this.readiness.report();
    if (report.status !== 'ready') void reply.status(503).header('retry-after', 2);
    return report;
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.header('content-type', this.telemetry.registry.contentType);
    return this.telemetry.registry.metrics();
  }
}
