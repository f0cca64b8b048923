// Colours of numbers, mixed from those of colours.css, so that they follow light and dark.

let known = {};

export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["empty", "up", "down", "gate", "ink", "muted", "line", "behind"]) {
    known[name] = style.getPropertyValue("--" + name).trim().split(/\s+/).map(Number);
  }
}

function mixed(to, share) {
  const part = Math.max(0, Math.min(1, share));
  return known.empty.map((from, channel) => Math.round(from + (known[to][channel] - from) * part));
}

const css = (channels) => `rgb(${channels.join(" ")})`;

// From −1 over 0 to 1.
export const ofSigned = (share) => css(mixed(share < 0 ? "down" : "up", Math.abs(share)));

// From 0 to 1.
export const ofGate = (share) => css(mixed("gate", share));

// Behind text, which must stay readable.
export function behind(share, isSigned) {
  const part = known.behind[0] * Math.max(-1, Math.min(1, share));
  return isSigned ? ofSigned(part) : ofGate(part);
}

export const named = (name) => css(known[name]);

// Numbers between 0 and 1, as opposed to those with a sign.
export const isGate = (part) => ["input", "forget", "output", "reset", "update"].includes(part);
