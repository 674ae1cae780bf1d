import { type Attributes, type AttributeValue, objectOf } from './otlp-value.ts';

/** The texts of one call, wherever its instrumentation put them; null when it sent none. */
export interface CallText {
  input: string | null;
  output: string | null;
}

interface Message {
  role: string | null;
  text: string | null;
}

/**
 * The newest convention that is present wins: messages on the span, messages on an event, `gen_ai.prompt` and
 * `gen_ai.completion` (whole or numbered), then one event a message.
 */
export function textOf(span: Attributes, events: { name: string; attributes: Attributes }[]): CallText {
  const places = [span, ...events.map((event) => event.attributes)];
  const first = (read: (place: Attributes) => Message[]) =>
    places.map(read).find((found) => found.length > 0);
  const input =
    first((place) => messagesOf(place.get('gen_ai.input.messages'))) ??
    first((place) => messagesOf(place.get('gen_ai.prompt'))) ??
    first((place) => numberedMessages(place, 'gen_ai.prompt')) ??
    eventMessages(events, 'gen_ai.user.message', 'user');
  const output =
    first((place) => messagesOf(place.get('gen_ai.output.messages'))) ??
    first((place) => messagesOf(place.get('gen_ai.completion'))) ??
    first((place) => numberedMessages(place, 'gen_ai.completion')) ??
    eventMessages(events, 'gen_ai.choice', 'assistant');
  return { input: lastUserText(input), output: joined(output) };
}

/** Policy: the input of a call is its last user message; without roles, its last message that has text. */
function lastUserText(messages: Message[]): string | null {
  const users = messages.filter((message) => message.role === 'user' && message.text !== null);
  const candidates = users.length > 0 ? users : messages.filter((message) => message.text !== null);
  return candidates.at(-1)?.text ?? null;
}

/** Tool calls have no text: a turn of nothing else has no output, rather than an empty one. */
function joined(messages: Message[]): string | null {
  const texts = messages.flatMap((message) => (message.text === null ? [] : [message.text]));
  return texts.length === 0 ? null : texts.join('\n');
}

function messagesOf(value: AttributeValue | undefined): Message[] {
  if (value === undefined || value === null) return [];
  const content: unknown = typeof value === 'string' ? parsed(value) : value;
  if (typeof content === 'string') return [{ role: null, text: content }];
  const list: unknown[] = Array.isArray(content) ? content : [content];
  return list.map((entry) => {
    const message = objectOf(entry);
    if (message === undefined) return { role: null, text: typeof entry === 'string' ? entry : null };
    const inner = objectOf(message['message']) ?? message;
    const role = typeof inner['role'] === 'string' ? inner['role'] : null;
    return { role, text: contentText(inner['parts'] ?? inner['content'] ?? inner['text']) };
  });
}

/**
 * Text that is JSON of messages is read as such; any other text is itself, numbers and quoted strings
 * included.
 */
function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    const looksLikeMessages = [value].flat().some((entry) => 'role' in (objectOf(entry) ?? {}));
    return looksLikeMessages ? value : text;
  } catch {
    return text;
  }
}

function contentText(content: unknown): string | null {
  if (typeof content === 'string') return content;
  const part = objectOf(content);
  if (part !== undefined) {
    const isText = part['type'] === undefined || part['type'] === 'text' || part['type'] === 'output_text';
    return isText ? contentText(part['content'] ?? part['text']) : null;
  }
  if (!Array.isArray(content)) return null;
  const texts = content.flatMap((entry) => contentText(entry) ?? []);
  return texts.length === 0 ? null : texts.join('\n');
}

/** OpenLLMetry's `gen_ai.prompt.0.role`, `gen_ai.prompt.0.content`, … */
function numberedMessages(attributes: Attributes, prefix: string): Message[] {
  const messages: Message[] = [];
  for (let index = 0; attributes.has(`${prefix}.${index}.content`); index += 1) {
    const role = attributes.get(`${prefix}.${index}.role`);
    const [message] = messagesOf(attributes.get(`${prefix}.${index}.content`) ?? null);
    messages.push({ role: typeof role === 'string' ? role : null, text: message?.text ?? null });
  }
  return messages;
}

function eventMessages(
  events: { name: string; attributes: Attributes }[],
  name: string,
  role: string,
): Message[] {
  return events
    .filter((event) => event.name === name)
    .map((event) => {
      const value = event.attributes.get('content') ?? event.attributes.get('gen_ai.event.content') ?? null;
      const content: unknown = typeof value === 'string' && /^\s*\{/.test(value) ? parsed(value) : value;
      return { role, text: contentText(objectOf(objectOf(content)?.['message'])?.['content'] ?? content) };
    });
}
