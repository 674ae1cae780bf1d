const MESSAGES = 10_000;
const THREADS = 300;
const REPLIES_EACH = 10;
const PAGE = 200;
const FROM_SECONDS = 1_763_800_000;

const PEOPLE = ['U0ANSWER01', 'U0APPROVE1', 'U0LEAD0001', 'U0PRODUCT1', 'U0SUPPORT1'];

/** What people write while an AI feature is wrong: mostly plain, some with mentions, links, code and numbers. */
const SAYINGS = [
  'Looking at it now, give me a minute.',
  'The answers about refunds are still wrong for everyone I asked',
  '<@U0APPROVE1> can you look at the proposal? The rehearsal says 19 of 20.',
  'Error rate is 0.4% on <https://grafana.example/d/answers?from=now-1h&amp;to=now|the board>, so it is not an outage',
  'Same as in `answer-v14`: it says *400 days* instead of _30 days_',
  'no, that is the old one (v13). The new one is on 10 % of the traffic since 03:12',
  'A customer writes: jane.doe@customer.example did not get her refund, order 100-4711',
  '&gt; You can return shoes within 400 days\nThat is from the log of 02:58.',
  '```{"finish_reason": "stop", "model": "model-2-0806", "score": 0.1}```',
  'ok :+1:',
  'Support has 14 tickets by now; the first is from 02:51, which is before the label moved?',
  'Agreed. Let us roll back first and talk about the wording tomorrow.',
];

/** What is read of each message. */
export interface PageMessage {
  ts: string;
  thread_ts?: string;
  reply_count?: number;
  user: string;
  text: string;
  edited?: { ts: string };
  files?: { id: string; name: string; permalink: string }[];
}

/** The pages of `conversations.history` and `conversations.replies` of a long room, as Slack's JSON. */
export function slackPages(): string[] {
  const messages = Array.from({ length: MESSAGES }, (_, index) => message(index));
  return Array.from({ length: MESSAGES / PAGE }, (_, page) =>
    JSON.stringify({
      ok: true,
      messages: messages.slice(page * PAGE, (page + 1) * PAGE),
      has_more: (page + 1) * PAGE < MESSAGES,
      response_metadata: { next_cursor: `bmV4dF90czox${page}` },
    }),
  );
}

const tsOf = (index: number) => `${FROM_SECONDS + index * 3}.${String(index % 1_000_000).padStart(6, '0')}`;

function message(index: number) {
  const user = PEOPLE[(index * 7) % PEOPLE.length];
  const text = SAYINGS[(index * 5) % SAYINGS.length] ?? '';
  const isReply = index >= MESSAGES - THREADS * REPLIES_EACH;
  const root = tsOf((index % THREADS) * 20);
  const isRoot = !isReply && index % 20 === 0 && index / 20 < THREADS;
  return {
    type: 'message',
    user,
    team: 'T0EXAMPLE1',
    client_msg_id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    ts: tsOf(index),
    text,
    blocks: [
      {
        type: 'rich_text',
        block_id: `b${index}`,
        elements: [{ type: 'rich_text_section', elements: elementsOf(text) }],
      },
    ],
    ...(isReply ? { thread_ts: root, parent_user_id: PEOPLE[0] } : {}),
    ...(isRoot ? threadOf(index) : {}),
    ...(index % 25 === 3 ? { edited: { user, ts: tsOf(index + 1) } } : {}),
    ...(index % 100 === 7 ? { files: [fileOf(index)], upload: false } : {}),
    ...(index % 15 === 4 ? { reactions: [{ name: '+1', users: PEOPLE.slice(1, 3), count: 2 }] } : {}),
  };
}

function threadOf(index: number) {
  return {
    thread_ts: tsOf(index),
    reply_count: REPLIES_EACH,
    reply_users_count: PEOPLE.length,
    latest_reply: tsOf(MESSAGES - 1),
    reply_users: PEOPLE,
    is_locked: false,
    subscribed: false,
  };
}

/** What Slack sends beside the text: the same, taken apart. */
function elementsOf(text: string) {
  return text.split(/(<@U\w+>|<https?:[^>]+>|`[^`]+`)/).map((part) => {
    if (part.startsWith('<@')) return { type: 'user', user_id: part.slice(2, -1) };
    const [, url, label] = /^<(http[^|>]+)\|?(.*)>$/.exec(part) ?? [];
    if (url !== undefined) return { type: 'link', url, text: label };
    if (part.startsWith('`')) return { type: 'text', text: part.slice(1, -1), style: { code: true } };
    return { type: 'text', text: part };
  });
}

function fileOf(index: number) {
  const id = `F${String(index).padStart(10, '0')}`;
  const at = `https://files.example/files-tmb/T0EXAMPLE1-${id}-0a1b2c3d4e/graph`;
  const thumbs = [64, 80, 160, 360, 480, 720, 800, 960].map((size) => [`thumb_${size}`, `${at}_${size}.png`]);
  return {
    id,
    created: FROM_SECONDS + index * 3,
    timestamp: FROM_SECONDS + index * 3,
    name: `graph of errors ${index}.png`,
    title: `graph of errors ${index}.png`,
    mimetype: 'image/png',
    filetype: 'png',
    pretty_type: 'PNG',
    user: 'U0ANSWER01',
    user_team: 'T0EXAMPLE1',
    editable: false,
    size: 48_211,
    mode: 'hosted',
    is_external: false,
    external_type: '',
    is_public: false,
    public_url_shared: false,
    display_as_bot: false,
    username: '',
    url_private: `https://files.example/files-pri/T0EXAMPLE1-${id}/graph.png`,
    url_private_download: `https://files.example/files-pri/T0EXAMPLE1-${id}/download/graph.png`,
    media_display_type: 'unknown',
    ...Object.fromEntries(thumbs),
    original_w: 1_200,
    original_h: 630,
    permalink: `https://example.slack.com/files/U0ANSWER01/${id}/graph.png`,
    permalink_public: `https://example.slack.com/T0EXAMPLE1-${id}-5f6a7b8c9d`,
    is_starred: false,
    has_rich_preview: false,
    file_access: 'visible',
  };
}
