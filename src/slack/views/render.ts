import type { RoomMessage } from '../../flow/ports.ts';
import type { Rendered } from './blocks.ts';
import { renderCard } from './card.ts';
import { renderContext } from './context.ts';
import { renderLease } from './lease.ts';
import { renderNotice } from './notice.ts';
import { renderPostmortem } from './postmortem.ts';
import { renderProposal } from './proposal.ts';
import { renderReceipt } from './receipt.ts';
import { renderTree } from './tree.ts';

/** Any room message as Slack takes it: within its limits, and safe whatever the texts in it hold. */
export function render(message: RoomMessage): Rendered {
  switch (message.kind) {
    case 'card':
      return renderCard(message.card);
    case 'proposal':
      return renderProposal(message.proposal);
    case 'receipt':
      return renderReceipt(message.receipt);
    case 'context':
      return renderContext(message.context);
    case 'tree':
      return renderTree(message.tree);
    case 'lease':
      return renderLease(message.lease);
    case 'notice':
      return renderNotice(message);
    case 'postmortem':
      return renderPostmortem(message);
  }
}
