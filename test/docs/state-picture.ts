import {
  DELIVERY_STATES,
  type DeliveryState,
  LEGAL_MOVES,
  WAITING_STATES,
} from '@belfry/shared/domain/delivery-state.js';

/*
 * The picture of the life of a delivery. Which moves there are comes from LEGAL_MOVES; here is only where they are drawn.
 * A move that all waiting states share is one arrow from their frame.
 */

interface Place {
  readonly x: number;
  readonly y: number;
  readonly tone: keyof typeof TONES;
  readonly note: string;
}

const TONES = {
  waiting: ['#fff7e6', '#b7791f'],
  working: ['#e8f0fe', '#2b5fb3'],
  good: ['#e7f6ec', '#1e7d45'],
  bad: ['#fdeaea', '#b3362e'],
  quiet: ['#f1f3f5', '#5c6670'],
} as const;

const BOX = { width: 150, height: 46 };

const PLACES: Readonly<Record<DeliveryState, Place>> = {
  scheduled: { x: 60, y: 70, tone: 'waiting', note: 'waits for its time' },
  queued: { x: 60, y: 136, tone: 'waiting', note: 'due' },
  retrying: { x: 60, y: 202, tone: 'waiting', note: 'not taken, next time set' },
  ambiguous: { x: 60, y: 268, tone: 'waiting', note: 'may have been taken' },
  sending: { x: 430, y: 150, tone: 'working', note: 'a worker has its lease' },
  sent: { x: 690, y: 84, tone: 'good', note: 'the provider has it' },
  delivered: { x: 910, y: 84, tone: 'good', note: 'the person has it' },
  dead: { x: 690, y: 226, tone: 'bad', note: 'given up, with a reason' },
  cancelled: { x: 60, y: 430, tone: 'quiet', note: 'called off in time' },
  suppressed: { x: 280, y: 430, tone: 'quiet', note: 'unwanted, or bad address' },
  expired: { x: 500, y: 430, tone: 'quiet', note: 'too late to be of use' },
  skipped: { x: 910, y: 430, tone: 'quiet', note: 'channel was not used' },
};

/** The frame around the waiting states. */
const FRAME = { x: 40, y: 36, width: 190, height: 298 };

/** The line of each move; `waiting …` stands for all waiting states. */
const LINES: Readonly<Record<string, string>> = {
  'waiting sending': 'M230 165 H424',
  'waiting cancelled': 'M135 334 V424',
  'waiting suppressed': 'M190 334 V372 H330 V424',
  'waiting expired': 'M215 334 V352 H550 V424',
  'retrying queued': 'M60 225 C30 215 30 180 54 168',
  'ambiguous queued': 'M60 291 C14 275 14 165 54 154',
  'retrying dead': 'M210 225 C330 236 560 236 684 244',
  'ambiguous dead': 'M210 296 C380 306 560 290 684 262',
  'sending sending': 'M480 150 C470 96 540 96 532 144',
  'sending scheduled': 'M445 150 C410 96 320 90 216 92',
  'sending sent': 'M580 165 C640 160 640 112 684 108',
  'sending retrying': 'M430 186 C350 200 300 212 216 216',
  'sending ambiguous': 'M445 196 C400 250 310 278 216 282',
  'sending dead': 'M580 184 C630 190 640 232 684 236',
  'sending cancelled': 'M450 196 C440 330 300 400 216 440',
  'sending suppressed': 'M470 196 C468 320 420 380 390 424',
  'sending expired': 'M530 196 C540 300 580 380 586 424',
  'sent delivered': 'M840 107 H904',
  'sent dead': 'M765 130 V220',
  'dead queued': 'M765 272 V392 H18 V146 H54',
};

/** The moves that are drawn, each as `from to`, with the state or group it starts from. */
function drawnMoves(): { line: string; moves: string[] }[] {
  const shared = DELIVERY_STATES.filter((to) =>
    WAITING_STATES.every((from) => LEGAL_MOVES[from].includes(to)),
  );
  const single = DELIVERY_STATES.flatMap((from) =>
    LEGAL_MOVES[from]
      .filter((to) => !(isWaiting(from) && shared.includes(to)))
      .map((to) => ({ line: `${from} ${to}`, moves: [`${from} ${to}`] })),
  );
  const grouped = shared.map((to) => ({
    line: `waiting ${to}`,
    moves: WAITING_STATES.map((from) => `${from} ${to}`),
  }));
  return [...grouped, ...single];
}

/** Draws the SVG. Throws when a state can move in a way that has no line here yet. */
export function drawStates(): string {
  const arrows = drawnMoves().map(({ line, moves }) => {
    const path = LINES[line];
    if (path === undefined) throw new Error(`The picture has no line for ${line}: add one to LINES.`);
    const dashed = line === 'dead queued' ? ' stroke-dasharray="6 5"' : '';
    return `  <path class="move" data-moves="${moves.join(',')}" d="${path}"${dashed}/>`;
  });
  const boxes = DELIVERY_STATES.map(drawBox);
  return `${[
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1090 500" font-family="system-ui, sans-serif" role="img">',
    '  <title>The states of a delivery and its legal moves</title>',
    '  <style>.move{fill:none;stroke:#5c6670;stroke-width:1.6;marker-end:url(#tip)} .name{font-size:15px;font-weight:600} .note{font-size:11px;fill:#4a5560}</style>',
    '  <defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="#5c6670"/></marker></defs>',
    '  <rect width="1090" height="500" rx="12" fill="#ffffff"/>',
    `  <rect x="${FRAME.x}" y="${FRAME.y}" width="${FRAME.width}" height="${FRAME.height}" rx="12" fill="#fffdf7" stroke="#d9c08c"/>`,
    `  <text class="note" x="${FRAME.x + FRAME.width / 2}" y="${FRAME.y + 20}" text-anchor="middle">waiting: a job must exist</text>`,
    '  <text class="note" x="668" y="386" text-anchor="middle">a retry or a replay begins the next round</text>',
    '  <text class="note" x="506" y="98" text-anchor="middle">a lapsed lease is taken over</text>',
    ...arrows,
    ...boxes,
    '</svg>',
  ].join('\n')}\n`;
}

function drawBox(state: DeliveryState): string {
  const { x, y, tone, note } = PLACES[state];
  const [fill, stroke] = TONES[tone];
  const middle = x + BOX.width / 2;
  return [
    `  <g><rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="9" fill="${fill}" stroke="${stroke}" stroke-width="1.5"/>`,
    `<text class="name" x="${middle}" y="${y + 20}" text-anchor="middle" fill="${stroke}">${state}</text>`,
    `<text class="note" x="${middle}" y="${y + 36}" text-anchor="middle">${note}</text></g>`,
  ].join('');
}

function isWaiting(state: DeliveryState): boolean {
  return (WAITING_STATES as readonly DeliveryState[]).includes(state);
}
