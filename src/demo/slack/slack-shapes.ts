/** Anything that came as JSON; narrowed where it is used. */
export type Fields = Record<string, unknown>;

/** Enough to find a message again. */
export interface MessageRef {
  channel: string;
  ts: string;
}

/** A message as a person in the channel sees it. */
export interface SlackMessage extends MessageRef {
  type: string;
  text: string;
  user?: string;
  bot_id?: string;
  subtype?: string;
  thread_ts?: string;
  reply_count?: number;
  blocks?: Fields[];
  attachments?: Fields[];
  metadata?: { event_type: string; event_payload: Fields };
  reactions?: { name: string; users: string[]; count: number }[];
  edited?: { user: string; ts: string };
  files?: Fields[];
}

/** A channel with everybody in it. */
export interface SlackChannel {
  id: string;
  name: string;
  is_private: boolean;
  is_archived: boolean;
  is_im: boolean;
  topic: string;
  purpose: string;
  members: string[];
}

/** Something only one person sees: an ephemeral message, a response_url body or the body of an ack. */
export interface Ephemeral {
  via: 'postEphemeral' | 'response_url' | 'ack';
  userId: string;
  channel: string;
  ts: string;
  text: string;
  blocks: Fields[];
  /** What Slack would refuse in it; an ack or response_url body with problems is never shown. */
  problems: string[];
}

/** A modal or home view as Slack hands it back. */
export interface SlackView extends Fields {
  id: string;
  type: string;
  callback_id: string;
  private_metadata: string;
  hash: string;
  blocks: Fields[];
}

/** An uploaded file with its text. */
export interface SlackFile {
  id: string;
  name: string;
  title: string;
  mimetype: string;
  content: string;
}

/** One Web API call that the bot made. */
export interface RecordedCall {
  method: string;
  args: Fields;
  /** HTTP status; 0 when the connection was dropped or left hanging. */
  status: number;
  response: Fields;
  at: number;
}

/** Identities that never change, so that tests and configs can name them. */
export const SLACK_IDS = {
  team: 'T000000001',
  domain: 'demo',
  app: 'A0LLMINC',
  bot: 'B0LLMBOT',
  botUser: 'U0LLMBOT',
} as const;

/** Narrows to a plain object. */
export function isRecord(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The objects of an array, or nothing. */
export function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The string, or an empty one. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Slack's booleans: true, "true", 1 and "1". */
export function truthy(value: unknown): boolean {
  return value === true || value === 1 || value === 'true' || value === '1';
}
