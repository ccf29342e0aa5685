/** What the client uses of Preact. */

export interface Context<T> {
  Provider: (properties: {value: T; children?: unknown}) => unknown;
}

export function h(type: unknown, properties: object | null, ...children: unknown[]): unknown;
export function render(node: unknown, parent: Element): void;
export function createContext<T>(value: T): Context<T>;

export class Component<P = Record<string, unknown>> {
  props: P;
  shouldComponentUpdate?(next: P): boolean;
  render(properties: P): unknown;
}
