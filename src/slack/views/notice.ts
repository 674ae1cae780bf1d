import { mention } from '../mrkdwn.ts';
import { type Rendered, rendered, section } from './blocks.ts';
import { outsideText } from './outside-text.ts';

/** A sentence to the room; whoever must read it is named first, so that a cut text never loses a person. */
export function renderNotice(notice: {
  text: string;
  mention?: string[];
  room?: string | undefined;
}): Rendered {
  const people = [...new Set(notice.mention ?? [])].map(mention).join(' ');
  const said = outsideText(notice.text, 3000);
  const room = /^[CG][A-Z0-9]{1,20}$/.test(notice.room ?? '') ? `<#${notice.room}>` : '';
  const text = [people, said, room].filter((part) => part !== '').join(' ') || '…';
  return rendered(text, [section(text)]);
}
