import {
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { INTERCEPTORS_METADATA } from '@nestjs/common/constants.js';
import { RepeatableInterceptor } from './repeatable.interceptor.js';
import { Repeatable } from './repeatable.js';

class Other implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle();
  }
}

class Controller {
  @Repeatable()
  @UseInterceptors(Other)
  above(): void {}

  @UseInterceptors(Other)
  @Repeatable()
  below(): void {}
}

it.each(['above', 'below'] as const)(
  'stands before other interceptors when it is written %s them',
  (name) => {
    const method = Object.getOwnPropertyDescriptor(Controller.prototype, name)!.value as object;
    expect(Reflect.getMetadata(INTERCEPTORS_METADATA, method)).toEqual([RepeatableInterceptor, Other]);
  },
);
