import { CallCounters } from './calls.js';
import type { Occasion } from './fault-book.js';
import { FaultBook } from './fault-book.js';
import type { FaultAction } from './fault-rule.js';
import type { ArrivedMessage, RecordedMessage } from './message.js';
import { Recorder } from './recorder.js';

/** What all protocols share: one recorder, one faults book, one set of counters. */
export interface Books {
  readonly recorder: Recorder;
  readonly faults: FaultBook;
  readonly calls: CallCounters;
}

export function openBooks(): Books {
  return { recorder: new Recorder(), faults: new FaultBook(), calls: new CallCounters() };
}

/** Accepts a message: from here on it has arrived, whatever the caller is told. */
export function accept({ recorder, calls }: Books, arrived: ArrivedMessage): RecordedMessage {
  calls.recorded(arrived.channel);
  return recorder.record(arrived);
}

/** The fault to play now, if the book has one for this occasion; it is counted. */
export function takeFault({ faults, calls }: Books, occasion: Occasion): FaultAction | undefined {
  const action = faults.take(occasion);
  if (action !== undefined) calls.faulted(occasion.channel, action.kind);
  return action;
}
