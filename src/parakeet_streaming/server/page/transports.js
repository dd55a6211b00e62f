/**
 * The ways to the server. To add one, write a module beside `websocket.js` and a line here.
 *
 * @typedef {object} Options
 * @property {MediaStream} media the microphone, for a transport that sends it itself
 * @property {number} sampleRate of the pieces that `send` gets
 * @property {?string} context null for the server's own
 * @property {number} latencyS of it, as the page knows it
 * @property {?string} key
 * @property {(event: object) => void} tell gets the events of `/v1/stream` (docs/protocol.md):
 *   `ready`, `partial`, `final`, `gap`, `context_changed`, `hint`, `going_away`, `error`, and then
 *   exactly one `{type: "closed", normal: boolean}`
 *
 * @typedef {object} Connection
 * @property {(pcm: ArrayBuffer) => void} send 16-bit mono; before `ready`, too. A transport that sends
 *   the microphone itself does nothing with it
 * @property {() => void} finish no more comes; what is left is told, then `closed`
 * @property {() => void} abort `closed` comes at once
 * @property {number} waitingS seconds of sound that are not sent yet
 * @property {number} sentS seconds of sound that the server got or will get: times of events count from
 *   its first sample
 *
 * @typedef {object} Transport
 * @property {string} name
 * @property {string} label
 * @property {string} note
 * @property {(about: object) => boolean} isThere whether server and browser have it, by `about.json`
 * @property {(about: object) => string} absence why it is not there
 * @property {(context: string) => boolean} takes whether it can ask for that context
 * @property {(options: Options) => Connection} connect
 */
import { webrtc } from "./webrtc.js";
import { websocket } from "./websocket.js";

/** @type {Transport[]} */
export const transports = [websocket, webrtc];
