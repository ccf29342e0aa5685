/** What the client uses of Preact's hooks. */

import {Context} from "./preact.js";

export interface Ref<T> {
  current: T;
}
type Effect = () => void | (() => void);
type Next<T> = T | ((present: T) => T);

export function useState<T>(first: T | (() => T)): [T, (next: Next<T>) => void];
export function useRef<T>(first: T): Ref<T>;
export function useEffect(effect: Effect, inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: Effect, inputs?: readonly unknown[]): void;
export function useMemo<T>(make: () => T, inputs?: readonly unknown[]): T;
export function useContext<T>(context: Context<T>): T;
export function useId(): string;
export function useErrorBoundary(handle?: (failure: unknown) => void): [unknown, () => void];
