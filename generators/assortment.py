"""What the shop sells: departments, their shelves, and the words that product names are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shelf:
    """A subcategory.

    Attributes:
        department: Its category.
        name: The subcategory.
        weight: Share of the demand.
        low: Usual lowest list price, in whole dollars.
        high: Usual highest list price.
        replenishable: Whether people buy the same product again and again.
        nouns: What the products are called.
        variants: Sizes, colours or models.
    """

    department: str
    name: str
    weight: float
    low: float
    high: float
    replenishable: bool
    nouns: tuple[str, ...]
    variants: tuple[str, ...]


BRANDS = {
    "Electronics": "Voltra Nexify Auralis Pixelon Kestrel Lumetric Ohmwell Zentro",
    "Home & Kitchen": "Hearthline Casalou Oakmere Brewster&Co Nordhaus Simmerly Tidewell Plainfold",
    "Fashion": "Marlowe Halden Linnea Corva Westbrook Jolie Rivet&Thread Ardenne",
    "Beauty": "Seraphine Dewlight Botanica Velour Glowry Mirabel Purelle Nuance",
    "Sports & Outdoors": "Summitra TrailForge Kinetiq Pacer Stonebeck Fjallo RidgeRun Aquadyne",
    "Toys & Games": "Wobblekins Brickadoo Puzzlewick Tumbletown Gearling Playmoor Zoodle Merrymake",
    "Books": "Harrow_Press Lantern_House Bluebird_Books Quillmark Northgate Foxglove Meridian Paper_Lane",
    "Grocery": "Goldenfield Harvest_Lane Morning_Mill Casa_Verde Orchard_Row Nutwood Pasta_Rossi Daily_Roast",
    "Health": "Vitalis Naturopia Wellspring CareKind Zincora Mendly Clearwell Optima",
    "Pet Supplies": "Pawsome Whiskerly Barkfield Furrow Tailwind Petopia Nibbles Old_Hound",
    "Office": "Inkwell Papermate_Pro Deskly Stapleton Formosa Clipper Noteworthy Filewise",
    "Garden": "Greenthumb Rosewood Terrafirm Bloomly Spade&Sons Evergrow Mossley Sunpatch",
}
ADJECTIVES = {
    "Electronics": "Pro Ultra Compact Wireless Smart Lite Max Portable Studio Mini",
    "Home & Kitchen": "Classic Everyday Rustic Modern Deluxe Essential Stackable Nonstick Cozy Signature",
    "Fashion": "Slim Relaxed Classic Everyday Heritage Soft Tailored Vintage Casual Premium",
    "Beauty": "Radiant Hydrating Gentle Matte Silky Daily Nourishing Velvet Pure Repair",
    "Sports & Outdoors": "Trail Pro Lightweight All-Weather Elite Training Summit Active Endurance Flex",
    "Toys & Games": "Magic Mega Junior Adventure Rainbow Deluxe Giant Classic Space Jungle",
    "Books": "Hidden Last Silent Golden Lost Little Midnight Forgotten Burning Distant",
    "Grocery": "Organic Roasted Classic Wholegrain Fair-Trade Sea-Salt Fresh Traditional Spicy Honey",
    "Health": "Daily Advanced Gentle Fast-Acting Sugar-Free Complete Natural Extra-Strength Kids Active",
    "Pet Supplies": "Tasty Durable Cozy Grain-Free Natural Playful Senior Puppy Comfy Adventure",
    "Office": "Executive Everyday Recycled Smooth Heavy-Duty Compact Classic Colour Ergonomic Project",
    "Garden": "Heavy-Duty Ergonomic Heirloom Solar Rustproof Compact Self-Watering Natural All-Purpose Deluxe",
}
_COLOURS = "Black|White|Grey|Navy|Red|Green"
_SIZES = "XS|S|M|L|XL"
_PACKS = "Single|2-Pack|4-Pack|6-Pack|12-Pack"
_WEIGHTS = "100 g|250 g|500 g|1 kg|2 kg"
_VOLUMES = "50 ml|100 ml|200 ml|300 ml|500 ml"
_COVERS = "Paperback|Hardcover|Large Print|Illustrated Edition|Box Set"

# department; shelf; weight; low; high; replenishable; nouns; variants
_SHELVES = f"""
Electronics;Headphones;3.2;19;320;;Headphones|Earbuds|Headset;{_COLOURS}
Electronics;Phone Accessories;3.4;8;60;;Phone Case|Charger|USB-C Cable|Power Bank;{_COLOURS}
Electronics;Computers;1.6;180;1900;;Laptop|Tablet|Mini PC|Monitor;8 GB|16 GB|32 GB|13-inch|15-inch|27-inch
Electronics;Smart Home;1.9;18;240;;Smart Plug|Doorbell Camera|Light Bulb|Thermostat;{_PACKS}
Home & Kitchen;Cookware;2.4;18;190;;Frying Pan|Saucepan|Dutch Oven|Roasting Tray;20 cm|24 cm|28 cm|Set of 2|Set of 3
Home & Kitchen;Bedding;2.1;22;170;;Duvet Cover|Pillow|Fitted Sheet|Throw Blanket;Twin|Queen|King|{_COLOURS}
Home & Kitchen;Small Appliances;1.7;29;360;;Coffee Maker|Toaster|Blender|Kettle|Air Fryer;{_COLOURS}
Home & Kitchen;Cleaning;2.6;4;28;1;Dish Soap|Surface Spray|Laundry Detergent|Sponges;{_PACKS}
Fashion;Women's Clothing;3.0;18;140;;Dress|Blouse|Cardigan|Jeans|Skirt;{_SIZES}
Fashion;Men's Clothing;2.8;16;130;;Shirt|Chinos|Sweater|T-Shirt|Jacket;{_SIZES}
Fashion;Shoes;2.3;29;190;;Sneakers|Boots|Loafers|Sandals;Size 6|Size 7|Size 8|Size 9|Size 10|Size 11
Fashion;Accessories;1.8;12;110;;Belt|Scarf|Handbag|Wallet|Sunglasses;{_COLOURS}
Beauty;Skin Care;2.9;9;95;1;Moisturizer|Face Serum|Cleanser|Eye Cream|Sunscreen;{_VOLUMES}
Beauty;Makeup;2.1;7;55;;Lipstick|Mascara|Foundation|Eyeshadow Palette;Rose|Nude|Coral|Berry|Ivory
Beauty;Hair Care;2.2;6;42;1;Shampoo|Conditioner|Hair Oil|Styling Cream;{_VOLUMES}
Beauty;Fragrance;1.1;28;150;;Eau de Parfum|Eau de Toilette|Body Mist;30 ml|50 ml|100 ml
Sports & Outdoors;Fitness;2.0;11;190;;Yoga Mat|Dumbbell|Resistance Bands|Kettlebell;2 kg|5 kg|10 kg|Set of 2|Set of 3
Sports & Outdoors;Camping;1.4;15;320;;Tent|Sleeping Bag|Camp Stove|Headlamp;1-Person|2-Person|4-Person
Sports & Outdoors;Cycling;1.2;14;230;;Bike Helmet|Bike Light|Cycling Jersey|Floor Pump;{_SIZES}
Sports & Outdoors;Running;1.8;15;170;;Running Shoes|Running Shorts|Hydration Belt|Running Jacket;{_SIZES}
Toys & Games;Building Sets;1.7;12;160;;Building Set|Castle Kit|Robot Kit|Marble Run;120 pcs|250 pcs|480 pcs|900 pcs
Toys & Games;Board Games;1.6;14;75;;Board Game|Card Game|Strategy Game|Party Game;2-4 Players|3-6 Players|Family Edition
Toys & Games;Puzzles;1.1;8;38;;Jigsaw Puzzle|3D Puzzle|Floor Puzzle;100 pcs|500 pcs|1000 pcs|2000 pcs
Toys & Games;Plush & Dolls;1.3;9;60;;Plush Bear|Doll|Plush Dinosaur|Hand Puppet;Small|Medium|Large
Books;Fiction;2.9;7;28;;Harbor|Garden|Daughter|Winter|Letters|River;{_COVERS}
Books;Non-Fiction;2.0;10;38;;History of Salt|Guide to Habits|Science of Sleep|Art of Walking;{_COVERS}
Books;Children's Books;1.9;5;24;;Dragon|Bear Goes Camping|Train|Moon Picnic;{_COVERS}
Books;Cookbooks;1.0;14;45;;Kitchen|Bread Book|One-Pot Suppers|Vegetable Table;{_COVERS}
Grocery;Coffee & Tea;3.3;5;34;1;Coffee Beans|Ground Coffee|Green Tea|Breakfast Tea;{_WEIGHTS}
Grocery;Snacks;3.4;2;18;1;Almonds|Crackers|Granola Bars|Tortilla Chips|Dark Chocolate;{_PACKS}
Grocery;Pantry;2.8;2;22;1;Olive Oil|Pasta|Basmati Rice|Tomato Sauce|Oats;{_WEIGHTS}
Grocery;Beverages;2.0;3;30;1;Sparkling Water|Orange Juice|Oat Milk|Lemonade;{_PACKS}
Health;Vitamins;2.6;7;48;1;Vitamin C|Vitamin D3|Multivitamin|Omega-3|Magnesium;30 Tablets|60 Tablets|120 Tablets
Health;First Aid;1.1;4;36;1;Plasters|First Aid Kit|Antiseptic Cream|Thermometer;{_PACKS}
Health;Oral Care;1.9;3;120;1;Toothpaste|Mouthwash|Electric Toothbrush|Dental Floss;{_PACKS}
Health;Wellness;1.2;10;110;;Massage Ball|Heating Pad|Aroma Diffuser|Sleep Mask;{_COLOURS}
Pet Supplies;Dog Food;2.2;9;75;1;Dry Dog Food|Dog Treats|Wet Dog Food;1 kg|3 kg|7 kg|12 kg
Pet Supplies;Cat Food;2.0;7;60;1;Dry Cat Food|Cat Treats|Wet Cat Food;1 kg|2 kg|4 kg|8 kg
Pet Supplies;Cat Litter;1.1;8;34;1;Clumping Litter|Wood Litter|Silica Litter;5 l|10 l|20 l
Pet Supplies;Pet Toys;1.2;5;32;;Chew Toy|Feather Wand|Rope Toy|Puzzle Feeder;Small|Medium|Large
Office;Paper & Notebooks;1.6;4;42;1;Notebook|Printer Paper|Sticky Notes|Planner;A4|A5|Letter|3-Pack|5-Pack
Office;Writing;1.3;3;48;1;Gel Pens|Fountain Pen|Highlighters|Pencils;Blue|Black|Assorted|10-Pack
Office;Desk Accessories;1.0;9;120;;Desk Lamp|Monitor Stand|Desk Organizer|Cable Tray;{_COLOURS}
Office;Office Chairs;0.7;89;640;;Office Chair|Mesh Chair|Drafting Chair|Kneeling Chair;{_COLOURS}
Garden;Plants & Seeds;1.4;3;42;1;Tomato Seeds|Lavender Plant|Herb Kit|Wildflower Mix;{_PACKS}
Garden;Garden Tools;1.2;9;130;;Pruning Shears|Trowel|Garden Hose|Rake;Small|Medium|Large
Garden;Outdoor Living;1.0;19;480;;Garden Lantern|Patio Chair|Fire Pit|Parasol;{_COLOURS}
Garden;Soil & Care;0.9;6;34;1;Potting Soil|Plant Food|Lawn Fertilizer|Mulch;5 l|10 l|20 l|40 l
"""


def _shelf(line: str) -> Shelf:
    department, name, weight, low, high, replenishable, nouns, variants = line.split(";")
    return Shelf(
        department,
        name,
        float(weight),
        float(low),
        float(high),
        bool(replenishable),
        tuple(nouns.split("|")),
        tuple(variants.split("|")),
    )


SHELVES = tuple(_shelf(line) for line in _SHELVES.strip().splitlines())
DEPARTMENTS = tuple(dict.fromkeys(shelf.department for shelf in SHELVES))


def words(text: str) -> tuple[str, ...]:
    """The entries of a list of words; an underscore stands for a blank inside one."""
    return tuple(word.replace("_", " ").replace("&", " & ") for word in text.split())
