/** The label that tells the answers of a batch apart. */
export const TAG = 'llm_incident_ask';

/** PromQL's text for a string: in double quotes, with backslash, quote and line break escaped. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** The label matchers of a service, without braces: its own selector, or the label that OpenTelemetry gives it. */
export function selectorOf(service: { name: string; selector?: string | undefined }): string {
  const given = service.selector?.trim().replace(/^\{(.*)\}$/s, '$1');
  return given === undefined || given === '' ? `service_name=${quoted(service.name)}` : given;
}

export function durationOf(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))}s`;
}

/** How much the counters grew over the window, summed up, or summed up by some labels. */
export function growth(
  metric: string,
  { selector, window, by = [] }: { selector: string; window: string; by?: readonly string[] },
): string {
  const grouping = by.length === 0 ? '' : ` by (${by.join(', ')})`;
  return `sum${grouping}(increase(${metric}{${selector}}[${window}]))`;
}

/**
 * One query that asks all expressions, each tagged with its place, on lines of its own as it may end with a comment.
 * A single one stays as it is, so that the server's words about it fit.
 */
export function batchOf(expressions: readonly string[]): string {
  const [only = '', ...more] = expressions;
  if (more.length === 0) return only;
  return expressions
    .map((text, place) => `label_replace((\n${text}\n), "${TAG}", "${place}", "", "")`)
    .join('\nor\n');
}
