// What /docs says about one kind of definition: made of its rules, so that it says what is checked.
import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiBody,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiProperty,
  type ApiPropertyOptions,
  ApiQuery,
  ApiResponse,
  type ApiResponseSchemaHost,
  ApiSchema,
} from '@nestjs/swagger';
import { z } from 'zod';
import type { DefinitionKind } from '../../../events/definition.events.js';
import { ApiProblems } from '../../auth/api-answers.js';
import { ApiSite } from '../../auth/api-site.js';
import { changedSince } from '../../auth/entity-tag.js';
import type { DefinitionRules } from './definition.js';
import { listSchemaOf } from './list-parameters.js';

type SchemaObject = Extract<ApiResponseSchemaHost['schema'], { type?: unknown }>;
interface ObjectSchema {
  readonly properties: Readonly<Record<string, SchemaObject>>;
  readonly required?: readonly string[];
}

const EXAMPLE_ID = '7Gk2mQx9RtP';
const EXAMPLE_TIME = '2026-11-21T10:00:00.000Z';
const UNKNOWN = 'There is no such site or item, or it is out of reach of the key.';
const ETAG = {
  ETag: { description: 'Its revision, for If-Match.', schema: { type: 'string', example: '"0"' } },
} as const;
const ApiIfMatch = () =>
  ApiHeader({ name: 'If-Match', required: false, description: 'The ETag as last read.', example: '"0"' });

export function documentationOf<Kind extends DefinitionKind>(rules: DefinitionRules<Kind>) {
  const { kind, plural, description, idPrefix, examples } = rules;
  const id = `${idPrefix}${EXAMPLE_ID}`;
  const example = { id, ...examples[0].value, createdAt: EXAMPLE_TIME };
  const Answer = model(kind, answerSchema(rules, id));
  const List = listModel(rules, Answer);
  const ApiId = () => applyDecorators(ApiSite(), ApiParam({ name: 'id', example: id }));
  const Operation = (does: string, summary: string) =>
    ApiOperation({ operationId: `${does}${kind}${does === 'list' ? 's' : ''}`, summary, description });

  return {
    Create: () =>
      applyDecorators(
        ApiSite(),
        Operation('create', `Create one of a site's ${plural}`),
        CreateBody(rules),
        ApiResponse({ status: 201, type: Answer, headers: ETAG, example }),
        ApiProblems({
          400: 'Some fields are not valid.',
          404: UNKNOWN,
          409: `The name is taken, or the site has as many ${plural} as it may.`,
        }),
      ),
    List: () =>
      applyDecorators(
        ApiSite(),
        Operation('list', `List a site's ${plural}`),
        ...Object.entries(objectSchema(listSchemaOf(rules)).properties).map(([name, schema]) =>
          ApiQuery({ name, required: false, schema }),
        ),
        ApiResponse({ status: 200, type: List, example: { [plural]: [example], next_cursor: null } }),
        ApiProblems({ 400: 'A parameter is not valid.', 404: UNKNOWN }),
      ),
    Get: () =>
      applyDecorators(
        ApiId(),
        Operation('get', `Read one of a site's ${plural}`),
        ApiResponse({ status: 200, type: Answer, headers: ETAG, example }),
        ApiProblems({ 404: UNKNOWN }),
      ),
    Change: () =>
      applyDecorators(
        ApiId(),
        ApiIfMatch(),
        Operation('change', `Change one of a site's ${plural}`),
        ChangeBody(rules),
        ApiResponse({ status: 200, type: Answer, headers: ETAG, example }),
        ApiProblems({
          400: 'Some fields are not valid.',
          404: UNKNOWN,
          409: `The name is taken; or: ${changedSince(rules.singular)}`,
        }),
      ),
    Delete: () =>
      applyDecorators(
        ApiId(),
        ApiIfMatch(),
        Operation('delete', `Delete one of a site's ${plural}`),
        ApiResponse({ status: 204, description: 'Deleted.' }),
        ApiProblems({ 404: UNKNOWN, 409: `Something else needs it; or: ${changedSince(rules.singular)}` }),
      ),
  };
}

function objectSchema(schema: z.ZodType): ObjectSchema {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'openapi-3.0',
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date') delete jsonSchema.pattern;
    },
  });
  return { properties: properties as ObjectSchema['properties'], required };
}

/** A named schema of the document, and so a named type of clients that are generated from it. */
function model(name: string, { properties, required = [] }: ObjectSchema): Type {
  class Model {}
  ApiSchema({ name })(Model);
  for (const [field, schema] of Object.entries(properties)) {
    const options = { ...schema, required: required.includes(field) } as ApiPropertyOptions;
    ApiProperty(options)(Model.prototype, field);
  }
  return Model;
}

function answerSchema<Kind extends DefinitionKind>(rules: DefinitionRules<Kind>, id: string): ObjectSchema {
  const { properties, required = [] } = objectSchema(rules.answer ?? rules.body);
  const createdAt: SchemaObject = { type: 'string', format: 'date-time', example: EXAMPLE_TIME };
  return {
    properties: { id: { type: 'string', example: id }, ...properties, createdAt },
    required: ['id', ...required, 'createdAt'],
  };
}

function listModel<Kind extends DefinitionKind>({ kind, plural }: DefinitionRules<Kind>, item: Type): Type {
  class List {}
  ApiSchema({ name: `${kind}List` })(List);
  ApiProperty({ type: [item] })(List.prototype, plural);
  ApiProperty({ type: String, nullable: true, example: null })(List.prototype, 'next_cursor');
  return List;
}

function CreateBody<Kind extends DefinitionKind>({ kind, body, examples }: DefinitionRules<Kind>) {
  return ApiBody({
    type: model(`Create${kind}Body`, objectSchema(body)),
    examples: Object.fromEntries(examples.map((one, at) => [`${at + 1}`, one])),
  });
}

/** Every field may be left out, and what need not be there may be taken away. */
function ChangeBody<Kind extends DefinitionKind>(rules: DefinitionRules<Kind>) {
  const { properties, required = [] } = objectSchema(rules.body);
  const fields = rules.changeable ?? Object.keys(properties);
  const changes = fields.map((field): [string, SchemaObject] => [
    field,
    required.includes(field) ? properties[field]! : { ...properties[field], nullable: true },
  ]);
  const [field, value] = Object.entries(rules.examples[0].value).findLast(([field]) =>
    fields.includes(field),
  )! as [string, unknown];
  return ApiBody({
    type: model(`Change${rules.kind}Body`, { properties: Object.fromEntries(changes) }),
    examples: { 1: { summary: 'One field', value: { [field]: value } } },
  });
}
