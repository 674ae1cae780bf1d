import { ExternalError } from '../errors.ts';
import type { HomeView } from '../flow/room/home.ts';
import { renderHome } from './views/home.ts';
import type { WebApi } from './web-api.ts';

/** The link of a message; null when it is gone. */
export async function permalink(api: WebApi, channelId: string, ts: string): Promise<string | null> {
  try {
    const answer = await api.call('chat.getPermalink', (c) =>
      c.chat.getPermalink({ channel: channelId, message_ts: ts }),
    );
    return answer.permalink ?? null;
  } catch (thrown) {
    if (thrown instanceof ExternalError && thrown.code === 'message_not_found') return null;
    throw thrown;
  }
}

/** One that is archived already is what was asked for. */
export async function archive(api: WebApi, channel: string): Promise<void> {
  try {
    await api.call('conversations.archive', (c) => c.conversations.archive({ channel }));
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.code !== 'already_archived') throw thrown;
  }
}

/** Minutes east of UTC where that person is now, as their profile says. */
export async function zoneOffsetMinutes(api: WebApi, userId: string): Promise<number> {
  const answer = await api.call('users.info', (c) => c.users.info({ user: userId }));
  return Math.round((answer.user?.tz_offset ?? 0) / 60);
}

export async function emailOf(api: WebApi, userId: string): Promise<string | null> {
  const answer = await api.call('users.info', (c) => c.users.info({ user: userId }));
  return answer.user?.profile?.email ?? null;
}

/** False for bots, for who has left, and for who was never there. */
export async function isMember(api: WebApi, userId: string): Promise<boolean> {
  try {
    const { user } = await api.call('users.info', (c) => c.users.info({ user: userId }));
    return user?.deleted !== true && user?.is_bot !== true;
  } catch (thrown) {
    if (thrown instanceof ExternalError && thrown.code === 'user_not_found') return false;
    throw thrown;
  }
}

/** Shows App Home to one person. */
export async function publishHome(api: WebApi, userId: string, home: HomeView): Promise<void> {
  await api.call('views.publish', (c) => c.views.publish({ user_id: userId, view: renderHome(home) }));
}
