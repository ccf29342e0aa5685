/** What the client uses of Fluent. */

type Pattern = string | readonly unknown[];

export class FluentResource {
  constructor(source: string);
}
export class FluentBundle {
  constructor(locales: string | string[], options?: {useIsolating?: boolean});
  locales: string[];
  addResource(resource: FluentResource, options?: {allowOverrides?: boolean}): Error[];
  getMessage(id: string): {value: Pattern | null} | undefined;
  formatPattern(pattern: Pattern, args?: Record<string, unknown> | null, errors?: Error[]): string;
}
