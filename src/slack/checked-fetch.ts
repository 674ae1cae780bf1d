import type { Log } from '../log.ts';
import { blockKitProblems, viewProblems } from './block-kit-limits.ts';

/**
 * In development, what Slack would refuse is refused before it leaves, in Slack's own words, and said in the log: also
 * where a stand-in for Slack would have taken it. Source of the limits: docs.slack.dev, as in block-kit-limits.
 */
export function checkedFetch(log: Log, send: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const messages = problemsIn(init?.body);
    if (messages.length === 0) return send(input, init);
    log.error({ to: String(input), messages }, 'Slack would refuse this message or view');
    const refusal = { ok: false, error: 'invalid_blocks', response_metadata: { messages } };
    return new Response(JSON.stringify(refusal), { headers: { 'content-type': 'application/json' } });
  };
}

/** What is wrong with the blocks or the view in the body of a Web API call; other bodies hold none. */
export function problemsIn(body: unknown): string[] {
  if (typeof body !== 'string' && !(body instanceof URLSearchParams)) return [];
  const fields = new URLSearchParams(body);
  const [blocks, view] = [fields.get('blocks'), fields.get('view')];
  return [
    ...(blocks === null ? [] : blockKitProblems(parsed(blocks), 'message')),
    ...(view === null ? [] : viewProblems(parsed(view))),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
