// A controller for each vendor's format, made of what it says of its routes: paths, documentation, form of errors,
// preflights. A new vendor is a line in this list.
import { Controller, Get, HttpCode, Inject, Options, Post, Req, Res, type Type } from '@nestjs/common';
import {
  ApiBody,
  ApiExcludeEndpoint,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { VendorIntakeRoute } from '../../../../http/route-kind.js';
import { answerPreflight } from '../cross-origin.js';
import { gtag } from './gtag.js';
import { measurementProtocol } from './measurement-protocol.js';
import { matomo } from './matomo.js';
import { plausible } from './plausible.js';
import { posthog } from './posthog.js';
import { segment } from './segment.js';
import { snowplow } from './snowplow.js';
import { umami } from './umami.js';
import type { VendorFormat, VendorRoute } from './vendor-format.js';
import { VendorIntake } from './vendor-intake.js';

const FORMATS: readonly VendorFormat[] = [
  plausible,
  measurementProtocol,
  gtag,
  segment,
  posthog,
  umami,
  matomo,
  snowplow,
];

export const vendorControllers = (): readonly Type<unknown>[] => FORMATS.map(controllerOf);

function controllerOf(format: VendorFormat): Type<unknown> {
  @ApiTags("Other vendors' clients")
  @Controller()
  class VendorController {
    constructor(@Inject(VendorIntake) readonly intake: VendorIntake) {}

    @Options([...new Set(format.routes.flatMap(({ paths }) => paths))])
    @VendorIntakeRoute(format.errors)
    @ApiExcludeEndpoint()
    preflight(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
      answerPreflight(request, reply);
    }
  }
  Object.defineProperty(VendorController, 'name', { value: `${format.wire}-controller` });
  for (const route of format.routes) {
    for (const path of route.paths) addRoute(VendorController, { format, route, path });
  }
  return VendorController;
}

interface RouteOfController {
  readonly format: VendorFormat;
  readonly route: VendorRoute;
  readonly path: string;
}

function addRoute(
  controller: Type<{ readonly intake: VendorIntake }>,
  { format, route, path }: RouteOfController,
): void {
  const { prototype } = controller as { prototype: object };
  const name = operationId(format, route.method, path);
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: { readonly intake: VendorIntake }, request: FastifyRequest, reply: FastifyReply) {
      return this.intake.answer(format.wire, route, { request, reply });
    },
  });
  Reflect.defineMetadata('design:paramtypes', [Object, Object], prototype, name);
  Req()(prototype, name, 0);
  Res()(prototype, name, 1);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
  const decorators = [
    (route.method === 'GET' ? Get : Post)(path),
    HttpCode(200),
    VendorIntakeRoute(format.errors),
    ...documented(format, route, { name, path }),
  ];
  for (const decorate of decorators) decorate(prototype, name, descriptor);
}

function documented(
  { title }: VendorFormat,
  { method, summary, description, example, exampleQuery = {} }: VendorRoute,
  { name, path }: { readonly name: string; readonly path: string },
): readonly MethodDecorator[] {
  return [
    ApiOperation({
      operationId: name,
      summary: `${title}: ${summary}`,
      security: [],
      ...(description && { description }),
    }),
    ApiResponse({ status: '2XX', description: 'As the vendor answers.' }),
    ...Object.entries(exampleQuery).map(([parameter, value]) =>
      ApiQuery({ name: parameter, required: false, type: String, example: value }),
    ),
    ...Array.from(path.matchAll(/:(\w+)/g), ([, parameter]) =>
      ApiParam({ name: parameter!, type: String, example: 'tm_…' }),
    ),
    ...(method === 'POST' && example !== undefined
      ? [ApiBody({ schema: {}, examples: { event: { value: example } } })]
      : []),
  ];
}

/** Such as `plausiblePostApiEvent`. */
function operationId({ wire }: VendorFormat, method: string, path: string): string {
  const [first = '', ...words] = `${wire} ${method.toLowerCase()} ${path}`
    .split(/[^a-z0-9]+/i)
    .filter(Boolean);
  return first + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}
