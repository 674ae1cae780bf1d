import { randomUUID } from 'node:crypto';
import type { MessageRef } from './slack-shapes.ts';

/** Where an answer to a command or a click goes. */
export interface ResponseContext {
  userId: string;
  channel: string;
  /** The clicked message, if it is one that everybody sees. */
  message?: MessageRef;
}

/** Hands out response_urls and knows when they are used up. */
export interface ResponseUrls {
  mint(context: ResponseContext): string;
  use(id: string): ResponseContext | 'expired_url' | 'used_url';
}

const MAX_USES = 5;
const LIFETIME_MS = 30 * 60_000;

/** Slack's rule: five answers within thirty minutes. */
export function createResponseUrls(baseUrl: string): ResponseUrls {
  const open = new Map<string, { context: ResponseContext; uses: number; expiresAt: number }>();
  return {
    mint: (context) => {
      const id = randomUUID();
      open.set(id, { context, uses: 0, expiresAt: Date.now() + LIFETIME_MS });
      return `${baseUrl}/response/${id}`;
    },
    use: (id) => {
      const entry = open.get(id);
      if (!entry || entry.expiresAt < Date.now()) return 'expired_url';
      entry.uses += 1;
      return entry.uses > MAX_USES ? 'used_url' : entry.context;
    },
  };
}
