// How the endpoints that send the audit trail as a file document it.
import { applyDecorators } from '@nestjs/common';
import { ApiProduces, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { AuditEntryAnswer } from './audit.dto.js';

const CSV_EXAMPLE =
  'entry,at,by,kind,email,request,country,client,stream,revision,type,merchant,site,data\r\n' +
  '17,2026-11-21T10:00:00.000Z,operator,operator,,r7,AT,tidemark-cli,site-s7Gk2mQx9RtP,0,SiteDeleted,default,s7Gk2mQx9RtP,"{""site"":""s7Gk2mQx9RtP""}"\r\n';

export const ApiAuditFile = () =>
  applyDecorators(
    ApiProduces('application/x-ndjson', 'text/csv'),
    ApiResponse({
      status: 200,
      description:
        'An entry a line. A broken connection says that the file is not whole: it ends without its last chunk. `tidemark-up-to-date: false`: of the last moments something may be missing.',
      headers: {
        'tidemark-up-to-date': { schema: { type: 'string', enum: ['true', 'false'] } },
      },
      content: {
        'application/x-ndjson': { schema: { $ref: getSchemaPath(AuditEntryAnswer) } },
        'text/csv': { schema: { type: 'string' }, example: CSV_EXAMPLE },
      },
    }),
  );
