/**
 * The ways to the server. To add one, write a module beside `websocket.js` and a line here.
 *
 * @typedef {object} Options
 * @property {MediaStream} media the microphone, for a transport that sends it itself
 * @property {number} sampleRate of the pieces that `send` gets
 * @property {?string} context null for the server's own
 * @property {?string} key
 * @property {(event: object) => void} tell gets the events of `/v1/stream` (docs/protocol.md):
 *   `ready`, `partial`, `final`, `gap`, `context_changed`, `hint`, `going_away`, `error`, and then
 *   exactly one `{type: "closed", normal: boolean}`
 *
 * @typedef {object} Connection
 * @property {(pcm: ArrayBuffer) => void} send 16-bit mono; before `ready`, too
 * @property {() => void} finish no more comes; what is left is told, then `closed`
 * @property {() => void} abort `closed` comes at once
 * @property {number} waitingS seconds of sound that are not sent yet
 *
 * @typedef {object} Transport
 * @property {string} name
 * @property {string} label
 * @property {string} note
 * @property {(about: object) => boolean} isThere whether this server has it, by `about.json`
 * @property {(options: Options) => Connection} connect
 */
import { websocket } from "./websocket.js";

/** @type {Transport[]} */
export const transports = [websocket];
