// The work that a browser is asked for where comments may come by the thousand: numbers are tried until a key begins as
// the service wants it. The browser tries beside the page, a few at a time, so that typing never waits for it.

const AT_ONCE = 8;

/** What is sent with the comment for a challenge (ALTCHA, second form); nothing once the form has gone. */
export async function prove(challenge, signal) {
  const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
  const rounds = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  const begin = bytes(nonce);
  const derive = async (counter) => {
    const number = [24, 16, 8, 0].map((place) => (counter >>> place) & 255);
    const key = await crypto.subtle.importKey("raw", Uint8Array.of(...begin, ...number), "PBKDF2", false, ["deriveBits"]);
    return hex(await crypto.subtle.deriveBits(rounds, key, keyLength * 8));
  };
  for (let first = 0; !signal.aborted; first += AT_ONCE) {
    const keys = await Promise.all(Array.from({ length: AT_ONCE }, (_, place) => derive(first + place)));
    const found = keys.findIndex((key) => key.startsWith(keyPrefix));
    if (found >= 0) return btoa(JSON.stringify({ challenge, solution: { counter: first + found, derivedKey: keys[found] } }));
  }
}

function bytes(digits) {
  return Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
