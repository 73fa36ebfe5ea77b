// What stands at the head of every controller of the control plane: whoever calls must be known, what they send is
// checked against its class, and an event store that does not answer is a 503.
import { applyDecorators, Controller, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CallerGuard } from './caller.guard.js';
import { EventStoreOutageInterceptor } from './event-store-outage.interceptor.js';
import { InputPipe } from './input.pipe.js';

/** `tag`: under which the OpenAPI document lists its operations. */
export const ControlPlaneController = (path: string, { tag }: { readonly tag: string }) =>
  applyDecorators(
    Controller(path),
    ApiTags(tag),
    ApiBearerAuth('bearer'),
    UseGuards(CallerGuard),
    UseInterceptors(EventStoreOutageInterceptor),
    UsePipes(InputPipe),
  );
