/** Whatever came over the wire; tests assert on its shape instead of declaring it. */
export type Wire = ReturnType<typeof JSON.parse>;

/** The value, or a failing test when it is not there. */
export function known<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('expected a value here');
  return value;
}
