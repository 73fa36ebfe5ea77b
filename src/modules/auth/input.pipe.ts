// Checks bodies and query parameters of the control plane against their classes: unknown fields
// are refused, and every mistake is named in one problem.
import {
  type ArgumentMetadata,
  Injectable,
  type PipeTransform,
  type Type,
  ValidationPipe,
} from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { Problem, type ProblemField } from '../../http/problem.js';

@Injectable()
export class InputPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      stopAtFirstError: true,
      exceptionFactory: (errors) => Problem.badRequest('Some fields are not valid.', fieldsOf(errors)),
    });
  }

  override transform(given: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // No body is as good as an empty one: what it lacks is named.
    const value = metadata.type === 'body' && given === undefined ? {} : given;
    // What is not an object, an array above all, would pass unchecked.
    if (metadata.type === 'body' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      throw Problem.badRequest('The body must be a JSON object.');
    }
    return super.transform(value, metadata);
  }
}

/** Where the class of a body is known only when the controller is made. */
export class InputOf implements PipeTransform {
  readonly #input = new InputPipe();

  constructor(private readonly metatype: Type) {}

  transform(given: unknown): Promise<unknown> {
    return this.#input.transform(given, { type: 'body', metatype: this.metatype });
  }
}

function fieldsOf(errors: readonly ValidationError[]): readonly ProblemField[] {
  return errors.flatMap(({ property, constraints, children }) => [
    ...Object.values(constraints ?? {}).map((message) => ({ path: property, message })),
    ...fieldsOf(children ?? []).map(({ path, message }) => ({ path: `${property}.${path}`, message })),
  ]);
}
