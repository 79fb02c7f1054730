/* playback.js: the video element: where to start, whether it runs, and the longest time without a new picture.
 * In: a video element. Out: {load, position, playing, longestGap}. Times in milliseconds. */
(function (W) {
  "use strict";

  function create(video) {
    let lastFrame = null;
    let longest = 0;
    let ready = false; // no position counts before the film is where it was left

    const running = () => ready && !video.paused && !video.ended && !video.seeking;

    function frame(now) {
      if (lastFrame !== null && running() && !document.hidden) longest = Math.max(longest, now - lastFrame);
      lastFrame = now;
    }

    function watch() {
      if (video.requestVideoFrameCallback) {
        const again = (now) => {
          frame(now);
          video.requestVideoFrameCallback(again);
        };
        video.requestVideoFrameCallback(again);
      } else {
        video.addEventListener("timeupdate", () => frame(performance.now()));
      }
      const forget = () => {
        lastFrame = null;
      };
      for (const event of ["pause", "play", "seeking", "seeked", "ended"]) video.addEventListener(event, forget);
      document.addEventListener("visibilitychange", forget);
    }

    /* A film that is paused or stalled shows no frame, so the time since the last one counts as well. */
    function longestGap() {
      const open = lastFrame !== null && running() && !document.hidden ? performance.now() - lastFrame : 0;
      return Math.max(longest, open);
    }

    const metadata = () =>
      new Promise((resolve, reject) => {
        if (video.readyState >= 1) resolve();
        video.addEventListener("loadedmetadata", resolve, { once: true });
        video.addEventListener("error", () => reject(new Error("The clip does not load or cannot be decoded.")), { once: true });
      });

    /* Some simple web servers cannot serve a part of a file; then the film is fetched whole, so that it can start anywhere. */
    async function makeSeekable(source) {
      if (video.seekable.length && video.seekable.end(0) > 0) return;
      const response = await fetch(source);
      video.src = URL.createObjectURL(await response.blob());
      await metadata();
    }

    async function load(source, startAt) {
      const known = metadata();
      video.src = source;
      await known;
      const share = await startAt;
      if (share !== null && share > 0 && share < 0.995) {
        await makeSeekable(source);
        video.currentTime = share * video.duration;
      }
      ready = true;
      watch();
    }

    const position = () => (ready && video.duration > 0 ? (video.currentTime / video.duration).toFixed(3) : null);

    return { load, position, playing: running, longestGap };
  }

  W.playback = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
