// The studio's pages work without this file, read-only: it adds keys, completion,
// previews, edits and the watch on what the page shows.

import {startKeys} from './keys.js';
import {startCompletion} from './complete.js';
import {startEdits} from './edits.js';
import {startPreview} from './preview.js';
import {startLive} from './live.js';

startKeys();
startCompletion();
startEdits();
startPreview();
startLive();
document.body.dataset.ready = ''; // all keys work from here on
