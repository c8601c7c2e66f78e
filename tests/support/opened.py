"""A browser that is open at a page of the server, and what people do with it."""

from pathlib import Path

WAIT_S = 30
# What a browser reports of a page on purpose: an answer with this status is shown as an error.
_EXPECTED = "the server responded with a status of 4"


class Browser:
    """One browser, which is used by one test after the other."""

    def __init__(self, chromium, language):
        webdriver, (program, service) = chromium
        options = webdriver.ChromeOptions()
        options.binary_location = program
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        for argument in [*arguments, f"--lang={language}", f"--accept-lang={language}", "--window-size=1280,900"]:
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # With both paths given, selenium looks for nothing on the network.
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(service))

    def begin(self, address, downloads, scheme="light", width=1280, height=900, script=True):
        """Forget what was before: cookies, storage, reports, and how the page was shown."""
        self.driver.get("about:blank")
        self.address, self.downloads = address, downloads
        self.command("Network.clearBrowserCookies")
        self.command("Storage.clearDataForOrigin", origin=address, storageTypes="all")
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        self.command(
            "Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        self.command("Emulation.setTouchEmulationEnabled", enabled=False)
        self.command("Emulation.setScriptExecutionDisabled", value=not script)
        self.resize(width, height)
        self.driver.get_log("browser")
        return self

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def resize(self, width, height):
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def open(self, path):
        self.driver.get(self.address + path)
        # Chromium's driver may look for elements too early; a script is only run in the page that was asked for.
        self.driver.execute_script("return document.readyState")

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def find_all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def texts(self, selector):
        return [element.text for element in self.find_all(selector)]

    def text(self):
        return self.find("main").text

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition):
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.driver, WAIT_S, 0.1, ignored_exceptions=[StaleElementReferenceException])
        return wait.until(lambda _: condition())

    def press(self, *keys):
        """Press keys, wherever the focus is."""
        self.actions().send_keys(*keys).perform()

    def actions(self):
        from selenium.webdriver.common.action_chains import ActionChains

        return ActionChains(self.driver, duration=20)

    def drag(self, start, end):
        """Move the mouse from one place of the window to another, with the button down."""
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        actions = ActionBuilder(self.driver, duration=20)
        pointer = actions.pointer_action
        pointer.move_to_location(*map(round, start)).pointer_down()
        pointer.move_to_location(*(round((a + b) / 2) for a, b in zip(start, end, strict=True)))
        pointer.move_to_location(*map(round, end)).pointer_up()
        actions.perform()

    def upload(self, *paths):
        self.find("#files").send_keys("\n".join(map(str, paths)))
        self.find("#send").click()

    def wait_for_upload(self):
        self.wait(lambda: self.find("#progress-text").text.startswith("Finished"))

    def read_download(self, name):
        path = Path(self.downloads) / name
        self.wait(path.is_file)
        return path.read_bytes()

    def open_record(self, served, name):
        self.open(find_url(served, name))
        self.wait(lambda: self.find_all("#paper > svg path.trace"))

    def reports(self):
        """What the browser has to say against the page: errors, and what the policy of the page forbade."""
        found = [
            entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}
        ]
        return [message for message in found if _EXPECTED not in message]


def find_url(served, name):
    (record,) = served.client.get("/v1/records", params={"q": name}).json()["records"]
    return record["url"]
