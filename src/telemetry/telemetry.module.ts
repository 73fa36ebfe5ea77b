// Hands the process's Telemetry to whoever injects it.
import { type DynamicModule, Module } from '@nestjs/common';
import { Telemetry } from './telemetry.js';

@Module({})
export class TelemetryModule {
  static with(telemetry: Telemetry): DynamicModule {
    return {
      module: TelemetryModule,
      global: true,
      providers: [{ provide: Telemetry, useValue: telemetry }],
      exports: [Telemetry],
    };
  }
}
