"""SourceBench: does the dataset a network was pretrained on make it take shortcuts?

The rooms, in the order of the data: `retrieval`, `phantoms`, `datasets`, `artifacts`, `attributes`,
`design`, `models`, `sources`, `training`, `evaluation`, `figures`, `study`. A room imports from
those before it, never from those after it; the modules beside this file serve them all and import
none of them.
"""

__version__ = "0.1.0"
