const WINDOW_MS = 60_000;
const PER_MINUTE: Record<string, number> = {
  'conversations.create': 20,
  'conversations.archive': 20,
  'conversations.rename': 20,
  'conversations.setTopic': 20,
  'conversations.setPurpose': 20,
  'conversations.list': 20,
  'users.list': 20,
  'usergroups.list': 20,
  'usergroups.users.list': 20,
  'bookmarks.add': 20,
  'bookmarks.edit': 20,
  'pins.add': 20,
  'pins.list': 20,
  'chat.update': 50,
  'chat.delete': 50,
  'conversations.history': 50,
  'conversations.replies': 50,
  'conversations.info': 50,
  'conversations.invite': 50,
  'conversations.join': 50,
  'conversations.open': 50,
  'reactions.add': 50,
  'users.lookupByEmail': 50,
  'users.conversations': 50,
  'chat.postEphemeral': 100,
  'views.open': 100,
  'views.update': 100,
  'views.push': 100,
  'views.publish': 100,
  'users.info': 100,
  'conversations.members': 100,
  'files.getUploadURLExternal': 100,
  'files.completeUploadExternal': 100,
  'files.info': 100,
};
const POSTS_PER_CHANNEL = 60; // "one message a second", with the short bursts that Slack tolerates

/** Slack's published tiers per method and minute; returns the seconds to wait, 0 when the call may go on. */
export function createLimiter(now: () => number = Date.now): (method: string, channel: string) => number {
  const recent = new Map<string, number[]>();
  return (method, channel) => {
    const isPost = method === 'chat.postMessage';
    const allowed = isPost ? POSTS_PER_CHANNEL : PER_MINUTE[method];
    if (allowed === undefined) return 0;
    const key = isPost ? `${method} ${channel}` : method;
    const calls = (recent.get(key) ?? []).filter((at) => now() - at < WINDOW_MS);
    recent.set(key, calls);
    const [oldest] = calls;
    if (calls.length >= allowed && oldest !== undefined)
      return Math.ceil((WINDOW_MS - (now() - oldest)) / 1000);
    calls.push(now());
    return 0;
  };
}
