"""The masking station: no engine, no passage."""

import logging

from mitmproxy.addonmanager import Loader

from holdfast.jsontext import JsonObject
from holdfast.masking.automata import Automata
from holdfast.masking.masker import Masker
from holdfast.masking.work.pool import Pool
from holdfast.policy.ruleset import Ruleset
from holdfast.proxy.plant import Plant

log = logging.getLogger(__name__)


class MaskingStation:
    """Builds the Masker from `rules/masking.yaml`, warm before the first message."""

    name = "holdfast-masking"

    def load(self, loader: Loader) -> None:
        """Masking has no options: what is masked is a matter of rules, which are reviewed and recorded."""
        # Presidio names every recognizer it loads, on every reload.
        logging.getLogger("presidio-analyzer").setLevel(logging.WARNING)

    def open(self, plant: Plant) -> None:
        """Nothing to build before the rules are read."""

    async def start(self, plant: Plant) -> None:
        """Have the workers of the Masker ready, which is warm already.

        Raises:
            MaskingError: they do not start.
        """
        await plant.force.masker.start()

    async def stop(self, plant: Plant) -> None:
        """No worker is left."""
        await plant.force.masker.retire()

    @staticmethod
    def make(rules: Ruleset, plant: Plant) -> tuple[Masker, JsonObject]:
        """The Masker for ``rules``, and what Records say about it.

        Raises:
            MaskingError: the engine cannot be built.
        """
        key = plant.keys.masking
        automata = Automata.beside(plant.data, key)
        pool = Pool(rules.masking, key, automata=automata)
        pool.spawn()  # both load at the same time
        try:
            masker = Masker(rules.masking, key, pool, automata)
        except BaseException:
            pool.drop()
            raise
        log.info("masking is ready; texts are looked through with %s", masker.equipment().scan)
        engine = masker.describe()
        return masker, {"engine": engine.name, "version": engine.version, "config": engine.config_hex}
