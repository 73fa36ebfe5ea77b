// /docs (Swagger UI) and /docs-json (OpenAPI), made from the controllers of this process.
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

const DESCRIPTION = `Open web analytics whose every number is derived from an append-only log.

Errors are RFC 9457 \`application/problem+json\`. Every answer carries \`X-Request-Id\`; 429 and 503
carry \`Retry-After\`. Bodies are JSON, and may be sent with Content-Encoding gzip, deflate or br.`;

export interface DocumentationOptions {
  readonly version: string;
}

export function openApiOf(app: INestApplication, options: DocumentationOptions): OpenAPIObject {
  const frame = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Tidemark')
    .setDescription(DESCRIPTION)
    .setVersion(options.version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An API key, or the access token of somebody signed in.',
    })
    .addSecurityRequirements('bearer')
    .build();
  return SwaggerModule.createDocument(app, frame);
}

export function serveDocumentation(app: INestApplication, options: DocumentationOptions): void {
  SwaggerModule.setup('docs', app, () => openApiOf(app, options), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
    customSiteTitle: 'Tidemark API',
  });
}
