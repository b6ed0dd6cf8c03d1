//! A browser, driven as a person would, by the WebDriver protocol of chromedriver.

#![allow(dead_code, reason = "each test file uses some of this")]

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What the protocol calls an element by.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// So long is waited for what a page is about to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one window, closed when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    /// Read by nobody, but open: the driver may go on to speak.
    _said: Lines<BufReader<ChildStdout>>,
    agent: ureq::Agent,
    session: String,
}

/// Something on a page.
#[derive(Clone, Debug)]
pub(crate) struct Element(String);

/// What draws.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pointer {
    Mouse,
    Touch,
}

impl Browser {
    /// Starts one whose window has this width and height.
    pub(crate) fn start(width: u32, height: u32) -> Self {
        let mut command = Command::new("chromedriver");
        let command = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("chromedriver, which comes with the browser");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let mut lines_so_far = lines.by_ref().map_while(Result::ok);
        let started = lines_so_far.find(|line| line.contains("successfully on port "));
        let port = started.expect("the port of chromedriver");
        let port = port.rsplit_once(' ').unwrap().1.trim_end_matches('.').to_owned();
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent = ureq::Agent::new_with_config(config);
        let session = format!("http://127.0.0.1:{port}");
        let mut browser = Self { driver, _said: lines, agent, session };
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let session = browser.post("/session", &capabilities);
        let session = session["sessionId"].as_str().unwrap_or_else(|| panic!("{session}"));
        browser.session += &format!("/session/{session}");
        browser.resize(width, height);
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let answer = self.agent.post(&url).content_type("application/json").send(body.to_string());
        let text = answer.unwrap().body_mut().with_config().limit(1 << 28).read_to_string();
        let mut answer: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    /// A command of the browser's own protocol.
    fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    pub(crate) fn darken(&self, is_dark: bool) {
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// What `script` returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What `script` hands to the function `done`.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; {script}");
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Waits until `script` returns something that is true, and returns that.
    pub(crate) fn until(&self, script: &str) -> Value {
        let begun = Instant::now();
        loop {
            let value = self.run(script);
            if !(value.is_null() || value == json!(false) || value == json!("")) {
                return value;
            }
            assert!(begun.elapsed() < PATIENCE, "in vain waited for: {script}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn find(&self, selector: &str) -> Element {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        Element(found[ELEMENT].as_str().unwrap().to_owned())
    }

    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.run(&format!("return document.querySelector({selector:?}).textContent"));
        text.as_str().unwrap().to_owned()
    }

    pub(crate) fn click(&self, selector: &str) {
        let Element(element) = self.find(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Gives `text`, or the path of a file, to an element.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let Element(element) = self.find(selector);
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses `keys`, one after the other, whatever has the focus.
    pub(crate) fn press(&self, keys: &[&str]) {
        let actions = keys.iter().flat_map(|key| {
            ["keyDown", "keyUp"].map(|action| json!({ "type": action, "value": key }))
        });
        let actions: Vec<_> = actions.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// Leads `pointer` along `strokes`, in pixels from the middle of an element.
    pub(crate) fn draw(&self, element: &Element, pointer: Pointer, strokes: &[Vec<[f32; 2]>]) {
        let origin = json!({ ELEMENT: element.0 });
        let mut actions = Vec::new();
        for stroke in strokes {
            for (nth, [x, y]) in stroke.iter().enumerate() {
                let (x, y) = (x.round() as i32, y.round() as i32);
                actions.push(json!({
                    "type": "pointerMove", "duration": 0, "x": x, "y": y, "origin": origin,
                }));
                if nth == 0 {
                    actions.push(json!({ "type": "pointerDown", "button": 0 }));
                }
            }
            actions.push(json!({ "type": "pointerUp", "button": 0 }));
        }
        let kind = match pointer {
            Pointer::Mouse => "mouse",
            Pointer::Touch => "touch",
        };
        let input = json!({
            "type": "pointer", "id": kind, "parameters": { "pointerType": kind },
            "actions": actions,
        });
        self.post("/actions", &json!({ "actions": [input] }));
    }

    /// Drops the file at `path` on the page, as from a file manager.
    pub(crate) fn drop_file(&self, path: &Path) {
        let data = json!({ "items": [], "files": [path], "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": 300, "y": 300, "data": data });
            self.devtools("Input.dispatchDragEvent", event);
        }
    }

    /// What was logged since last asked: by the console, or of requests.
    fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.post("/se/log", &json!({ "type": kind }));
        log.as_array().unwrap().clone()
    }

    /// What the console shows since last asked.
    pub(crate) fn console(&self) -> Vec<String> {
        let message = |entry: &Value| entry["message"].as_str().unwrap().to_owned();
        self.log("browser").iter().map(message).collect()
    }

    /// Where the browser asked for something since last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        let url = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let is_request = message["message"]["method"] == "Network.requestWillBeSent";
            let url = message["message"]["params"]["request"]["url"].as_str();
            url.filter(|_| is_request).map(str::to_owned)
        };
        self.log("performance").iter().filter_map(url).collect()
    }

    /// Saves what is seen, or all of the page, as a PNG file.
    pub(crate) fn screenshot(&self, path: &Path, is_whole: bool) {
        use base64::Engine as _;
        let how = json!({ "format": "png", "captureBeyondViewport": is_whole });
        let taken = self.devtools("Page.captureScreenshot", how);
        let png = base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap());
        std::fs::write(path, png.unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
