import { z } from 'zod';
import { ExternalError, messageOf } from '../errors.ts';

/** A scoped app of the account; it asks for a token of its own when it needs one. */
export interface AppCredentials {
  identityUrl: string;
  clientId: string;
  clientSecret: string;
  /** Region and subdomain, such as `us.acme`. */
  account: string;
}

export interface BearerToken {
  token: string;
  type: 'token' | 'bearer';
}

/** What the bot does there and nothing more. */
const SCOPES = ['incidents.read', 'incidents.write', 'oncalls.read', 'users.read', 'priorities.read'];
const TIMEOUT_MS = 10_000;
/** Asked for anew this long before it ends. */
const MARGIN_MS = 5 * 60_000;

const granted = z.looseObject({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** Tokens of scoped apps name their region; everything else is an API key. */
export function typeOf(token: string): BearerToken['type'] {
  return /^pd[a-z]{2}\+/.test(token) ? 'bearer' : 'token';
}

export interface TokenSource {
  current(): Promise<BearerToken>;
  /** PagerDuty refused it: the next one is asked for anew. True when that can help. */
  drop(): boolean;
}

/** The token of the configuration, or one that an app asks for by its credentials and keeps until it ends. */
export function tokenSource({
  token,
  app,
}: {
  token: string | undefined;
  app?: AppCredentials | undefined;
}): TokenSource {
  if (app === undefined) {
    const fixed: BearerToken = { token: token ?? '', type: typeOf(token ?? '') };
    return { current: async () => fixed, drop: () => false };
  }
  let kept: { token: string; until: number } | undefined;
  return {
    async current() {
      if (kept === undefined || kept.until <= Date.now()) kept = await askFor(app);
      return { token: kept.token, type: 'bearer' };
    },
    drop() {
      kept = undefined;
      return true;
    },
  };
}

async function askFor(app: AppCredentials): Promise<{ token: string; until: number }> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: app.clientId,
    client_secret: app.clientSecret,
    scope: [`as_account-${app.account}`, ...SCOPES].join(' '),
  });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const url = `${app.identityUrl.replace(/\/$/, '')}/oauth/token`;
  const answer = await fetch(url, { method: 'POST', body: form, signal }).catch((thrown: unknown) => {
    throw failure(messageOf(thrown), { retryable: true, cause: thrown });
  });
  if (!answer.ok) {
    const retryable = answer.status >= 500 || answer.status === 429;
    throw failure(`HTTP ${answer.status}`, { retryable, code: String(answer.status) });
  }
  const read = granted.safeParse(await answer.json().catch(() => null));
  if (!read.success) throw failure('an answer without a token', { retryable: true });
  const { access_token: token, expires_in: seconds } = read.data;
  return { token, until: Date.now() + Math.max(0, seconds * 1000 - MARGIN_MS) };
}

function failure(
  what: string,
  details: { retryable: boolean; code?: string; cause?: unknown },
): ExternalError {
  return new ExternalError(`token of the PagerDuty app: ${what}`, { service: 'PagerDuty', ...details });
}
