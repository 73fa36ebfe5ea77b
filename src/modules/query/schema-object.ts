// An OpenAPI schema, as the decorators that document endpoints take it.
import type { ApiResponseSchemaHost } from '@nestjs/swagger';

export type SchemaObject = Extract<ApiResponseSchemaHost['schema'], { type?: unknown }>;
