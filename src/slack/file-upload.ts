import type { OutgoingFile } from '../flow/ports.ts';
import { whereItWouldBe } from './history.ts';
import type { WebApi } from './web-api.ts';

/** Shares a file in a channel or a thread; with `retried` it is looked for by its title before it is sent again. */
export async function uploadOnce(api: WebApi, file: OutgoingFile): Promise<void> {
  if (file.retried && (await hasFile(api, file))) return;
  const { channelId, filename, title, content, comment, altText, threadTs } = file;
  const what = typeof content === 'string' ? { content } : { file: content };
  await api.call('files.uploadV2', (c) =>
    c.filesUploadV2({
      filename,
      title,
      ...what,
      ...(altText === undefined ? {} : { alt_text: altText }),
      ...(comment === '' ? {} : { initial_comment: comment }),
      ...(threadTs === undefined
        ? { channel_id: channelId }
        : { channel_id: channelId, thread_ts: threadTs }),
    }),
  );
}

async function hasFile(api: WebApi, file: OutgoingFile): Promise<boolean> {
  for await (const found of whereItWouldBe(api, file))
    if (found.files.some((shared) => shared.title === file.title)) return true;
  return false;
}
