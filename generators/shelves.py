"""The words of the assortment: brands, sizes, and what stands on which shelf; `assortment` makes objects of them."""

from __future__ import annotations

# From the cheapest to the dearest.
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
# Each with its price against that of the others.
VARIANTS = {
    "colours": "Black 1|White 1|Grey 1|Navy 1|Red 1|Green 1",
    "sizes": "XS 1|S 1|M 1|L 1|XL 1",
    "shoes": "Size 6 1|Size 7 1|Size 8 1|Size 9 1|Size 10 1|Size 11 1",
    "packs": "Single 0.6|2-Pack 1|4-Pack 1.75|6-Pack 2.5",
    "cases": "Single 0.3|4-Pack 0.9|6-Pack 1.3|12-Pack 2.3",
    "bottles": "500 ml 0.7|1 l 1.2|2 l 2.1",
    "rolls": "6-Pack 0.7|12-Pack 1.25|24-Pack 2.2",
    "snacks": "150 g 0.6|300 g 1.1|500 g 1.7|1 kg 3",
    "coffee": "250 g 0.6|500 g 1.1|1 kg 2",
    "tea": "20 Bags 0.6|50 Bags 1.2|100 Bags 2.1",
    "staples": "500 g 0.6|1 kg 1|2 kg 1.8|5 kg 4",
    "care": "50 ml 0.6|100 ml 1|200 ml 1.7",
    "small": "15 ml 0.7|30 ml 1.15|50 ml 1.7",
    "hair": "200 ml 0.7|300 ml 1|500 ml 1.5",
    "scents": "30 ml 0.7|50 ml 1|100 ml 1.6",
    "shades": "Rose 1|Nude 1|Coral 1|Berry 1|Ivory 1",
    "beds": "Twin 0.75|Full 0.9|Queen 1.1|King 1.35",
    "pans": "20 cm 0.75|24 cm 1|28 cm 1.3",
    "weights": "2 kg 0.4|5 kg 0.8|10 kg 1.4|16 kg 2.1",
    "persons": "1-Person 0.6|2-Person 1|4-Person 1.7",
    "bricks": "120 pcs 0.5|250 pcs 0.85|480 pcs 1.4|900 pcs 2.4",
    "pieces": "100 pcs 0.7|500 pcs 1|1000 pcs 1.25|2000 pcs 1.8",
    "players": "2-4 Players 0.95|3-6 Players 1.05|Travel Edition 0.7|Family Edition 1.3",
    "measures": "Small 0.7|Medium 1|Large 1.5",
    "covers": "Paperback 0.75|Large Print 1.05|Hardcover 1.35|Illustrated Edition 1.7",
    "tablets": "30 Tablets 0.6|60 Tablets 1|120 Tablets 1.75",
    "dog": "1 kg 0.4|3 kg 0.9|7 kg 1.7|12 kg 2.6",
    "cat": "1 kg 0.5|2 kg 0.85|4 kg 1.5|8 kg 2.6",
    "treats": "100 g 0.5|250 g 1|500 g 1.8",
    "cans": "6-Pack 0.6|12-Pack 1.1|24-Pack 2",
    "sacks": "5 l 0.6|10 l 1|20 l 1.8|40 l 3.2",
    "feed": "500 g 0.6|1 kg 1|2.5 kg 2.1",
    "seeds": "1 Packet 0.5|3 Packets 1.2|5 Packets 1.9",
    "pots": "9 cm Pot 0.6|12 cm Pot 1|17 cm Pot 1.7",
    "paper": "A5 0.85|A4 1.1|Letter 1.1",
    "reams": "500 Sheets 0.6|1000 Sheets 1.1|2500 Sheets 2.5",
    "pens": "4-Pack 0.6|8-Pack 1.1|12-Pack 1.5|20-Pack 2.2",
    "inks": "Blue 1|Black 1|Burgundy 1|Green 1",
    "tales": "Board Book 0.8|Paperback 0.75|Hardcover 1.3|Gift Edition 1.8",
    "dishes": "Paperback 0.8|Hardcover 1.2|Illustrated Edition 1.5",
}
# Titles of novels, of other books, of stories for children and of cookbooks.
WORDS = {
    "novels": "The_Hidden The_Last The_Silent The_Golden The_Lost The_Little The_Midnight "
    "The_Forgotten The_Burning The_Distant The_Second The_Broken",
    "facts": "A_Short The_Hidden A_Practical The_Curious The_Little A_New The_Complete The_Quiet An_Honest",
    "stories": "The_Sleepy The_Brave The_Little The_Runaway The_Singing "
    "The_Magic The_Lonely The_Invisible The_Giggling",
    "cooking": "Everyday Simple Family Rustic Seasonal Weeknight Green Little Mediterranean",
}

# department; shelf; weight; low; high; replenishable
# - noun; price against that of the others; words, or a list of them; variants, or a list of them
SHELVES = """
Electronics;Headphones;3.2;19;320;
- Headphones;1.3;Studio Wireless Noise-Cancelling Foldable Over-Ear;colours
- Earbuds;0.9;Wireless Sport Mini Noise-Cancelling Lite;colours
- Headset;1;Gaming Office Wireless Lite;colours
Electronics;Phone Accessories;3.4;8;60;
- Phone Case;0.8;Slim Clear Rugged Leather Soft-Touch;colours
- Charger;1;Fast Compact Wireless Travel;20 W 0.8|30 W 1|65 W 1.6
- USB-C Cable;0.6;Braided Fast Slim Durable;1 m 0.8|2 m 1.1|3 m 1.4
- Power Bank;1.6;Slim Fast Compact Rugged;5000 mAh 0.7|10000 mAh 1|20000 mAh 1.5
Electronics;Computers;1.6;180;1900;
- Laptop;1.4;Pro Ultra Lite Studio;13-inch 0.85|14-inch 0.95|15-inch 1.1|16-inch 1.25
- Tablet;0.7;Pro Lite Mini Max;64 GB 0.8|128 GB 1|256 GB 1.25
- Mini PC;0.9;Compact Pro Office Silent;8 GB 0.8|16 GB 1|32 GB 1.35
- Monitor;0.6;Curved Studio Ultra-Wide Office;24-inch 0.75|27-inch 1|32-inch 1.4
Electronics;Smart Home;1.9;18;240;
- Smart Plug;0.4;Mini Outdoor Compact Wi-Fi;packs
- Doorbell Camera;1.7;Wireless Pro Wired Lite;Black 1|White 1|Bronze 1
- Smart Light Bulb;0.45;Dimmable Colour Warm-White;packs
- Thermostat;2;Smart Learning Wireless;Black 1|White 1|Silver 1
Home & Kitchen;Cookware;2.4;18;190;
- Frying Pan;0.8;Nonstick Cast-Iron Everyday Ceramic;pans
- Saucepan;0.8;Stainless-Steel Nonstick Copper Everyday;16 cm 0.8|18 cm 1|20 cm 1.2
- Dutch Oven;1.5;Enamelled Cast-Iron Classic;3 l 0.8|5 l 1.1|7 l 1.5
- Roasting Tray;0.7;Nonstick Deep Stainless-Steel;Small 0.75|Medium 1|Large 1.3
- Cookware Set;1.9;Nonstick Stainless-Steel Ceramic;5 Pieces 0.8|8 Pieces 1.1|12 Pieces 1.6
Home & Kitchen;Bedding;2.1;22;170;
- Duvet Cover;1;Cotton Linen Quilted Classic;beds
- Pillow;0.7;Memory-Foam Down Cooling Everyday;Standard 0.8|Queen 1|King 1.2
- Fitted Sheet;0.7;Cotton Bamboo Flannel Everyday;beds
- Throw Blanket;0.9;Cozy Knitted Fleece Wool;colours
Home & Kitchen;Small Appliances;1.7;29;360;
- Coffee Maker;1.2;Classic Programmable Deluxe;4 Cups 0.75|8 Cups 1|12 Cups 1.25
- Toaster;0.6;Retro Compact Deluxe;2-Slice 0.8|4-Slice 1.3
- Blender;0.9;Compact Pro Quiet;Black 1|White 1|Red 1
- Kettle;0.6;Electric Retro Gooseneck;1 l 0.85|1.7 l 1.1
- Air Fryer;1.3;Compact Digital Family;3 l 0.75|5 l 1|8 l 1.4
Home & Kitchen;Cleaning;2.6;4;28;1
- Dish Soap;0.8;Lemon Gentle Lavender Original;bottles
- Surface Spray;0.9;Citrus Multi-Purpose Unscented Mint;packs
- Laundry Detergent;1.6;Sensitive Fresh Colour Original;20 Washes 0.6|40 Washes 1|80 Washes 1.8
- Sponges;0.7;Scrubbing Non-Scratch Cellulose;4-Pack 0.7|8-Pack 1.2|12-Pack 1.7
Fashion;Women's Clothing;3.0;18;140;
- Dress;1.3;Wrap Linen Midi Casual Floral;sizes
- Blouse;0.9;Silk Classic Soft Printed;sizes
- Cardigan;1.1;Soft Chunky Cropped Merino;sizes
- Jeans;1.1;Slim Relaxed High-Rise Straight;sizes
- Skirt;0.8;Pleated Midi Denim Classic;sizes
Fashion;Men's Clothing;2.8;16;130;
- Shirt;1;Slim Oxford Linen Classic Flannel;sizes
- Chinos;1.1;Slim Relaxed Tailored Stretch;sizes
- Sweater;1.2;Merino Cable-Knit Soft Heritage;sizes
- T-Shirt;0.5;Everyday Organic Striped Heavyweight;sizes
- Jacket;1.7;Denim Quilted Casual Waxed;sizes
Fashion;Shoes;2.3;29;190;
- Sneakers;1;Classic Casual Canvas Leather;shoes
- Boots;1.5;Chelsea Leather Hiking Heritage;shoes
- Loafers;1.1;Suede Penny Classic Soft;shoes
- Sandals;0.6;Strappy Cork Casual Leather;shoes
Fashion;Accessories;1.8;12;110;
- Belt;0.7;Leather Woven Classic Reversible;S 1|M 1|L 1|XL 1
- Scarf;0.8;Wool Silk Soft Checked;colours
- Handbag;1.7;Leather Quilted Mini Everyday;colours
- Wallet;0.8;Slim Leather Classic Zipped;Black 1|Brown 1|Navy 1
- Sunglasses;1.1;Vintage Round Aviator Sport;Black 1|Tortoise 1|Gold 1
Beauty;Skin Care;2.9;9;95;1
- Moisturizer;1;Hydrating Daily Gentle Nourishing Rich;care
- Face Serum;1.4;Radiant Vitamin-C Hydrating Repair;small
- Cleanser;0.7;Gentle Foaming Daily Purifying;100 ml 0.7|200 ml 1.1|400 ml 1.8
- Eye Cream;1.2;Radiant Firming Hydrating;small
- Sunscreen;0.8;Daily Sport Mineral Sensitive;care
Beauty;Makeup;2.1;7;55;
- Lipstick;0.8;Matte Velvet Sheer Satin;shades
- Mascara;0.9;Volume Lengthening Waterproof Curling;Black 1|Brown 1|Navy 1
- Foundation;1.3;Matte Radiant Silky Lightweight;Ivory 1|Beige 1|Sand 1|Honey 1|Cocoa 1
- Eyeshadow Palette;1.4;Shimmer Matte Velvet;6 Shades 0.7|12 Shades 1.1|18 Shades 1.5
Beauty;Hair Care;2.2;6;42;1
- Shampoo;0.9;Nourishing Volume Repair Daily Gentle;hair
- Conditioner;0.9;Nourishing Smoothing Repair Daily;hair
- Hair Oil;1.3;Argan Light Repair Silky;50 ml 0.8|100 ml 1.25
- Styling Cream;1;Curl Matte Smoothing Soft-Hold;100 ml 0.8|200 ml 1.25
Beauty;Fragrance;1.1;28;150;
- Eau de Parfum;1.3;Velvet Amber Midnight Fig Rose;scents
- Eau de Toilette;0.9;Citrus Vetiver Jasmine Cedar Linen;scents
- Body Mist;0.5;Vanilla Peach Coconut Lavender;100 ml 0.8|200 ml 1.3
Sports & Outdoors;Fitness;2.0;11;190;
- Yoga Mat;0.7;Non-Slip Cork Travel Cushioned;3 mm 0.8|5 mm 1|8 mm 1.25
- Dumbbell;0.8;Cast-Iron Neoprene Hex;weights
- Resistance Bands;0.5;Fabric Latex Long;Set of 3 0.8|Set of 5 1.2
- Kettlebell;1;Cast-Iron Vinyl Competition;4 kg 0.5|8 kg 0.85|12 kg 1.2|16 kg 1.55
Sports & Outdoors;Camping;1.4;15;320;
- Tent;2;Trail Dome All-Weather Pop-Up;persons
- Sleeping Bag;1.2;Lightweight Down Summer Mummy;Regular 0.95|Long 1.1
- Camp Stove;0.9;Compact Gas Folding;1 Burner 0.8|2 Burners 1.4
- Headlamp;0.5;Rechargeable Trail Lightweight;200 lm 0.7|400 lm 1|800 lm 1.5
Sports & Outdoors;Cycling;1.2;14;230;
- Bike Helmet;1.1;Road Trail City Kids;S 1|M 1|L 1
- Bike Light;0.5;Rechargeable Front Rear;100 lm 0.7|400 lm 1.1|800 lm 1.6
- Cycling Jersey;0.9;Summer Thermal Long-Sleeve Race;sizes
- Floor Pump;0.7;Steel Compact High-Pressure;Black 1|Red 1|Silver 1
Sports & Outdoors;Running;1.8;15;170;
- Running Shoes;1.6;Trail Cushioned Lightweight Race;shoes
- Running Shorts;0.6;Lightweight 2-in-1 Split;sizes
- Hydration Belt;0.5;Trail Race Slim;500 ml 0.9|1 l 1.15
- Running Jacket;1.2;Windproof Reflective Lightweight;sizes
Toys & Games;Building Sets;1.7;12;160;
- Building Set;1;City Space Jungle Pirate Racing;bricks
- Castle Kit;1.1;Knight Dragon Ice;bricks
- Robot Kit;1.2;Junior Walking Solar Space;bricks
- Marble Run;0.8;Junior Glow Mega;60 pcs 0.6|120 pcs 1|200 pcs 1.5
Toys & Games;Board Games;1.6;14;75;
- Board Game;1;Classic Treasure Jungle Railway;players
- Card Game;0.5;Quick Animal Bluffing Number;players
- Strategy Game;1.3;Empire Space Island Harvest;players
- Party Game;0.8;Trivia Drawing Charades Word;players
Toys & Games;Puzzles;1.1;8;38;
- Jigsaw Puzzle;0.9;Rainbow Alpine Harbour Garden World-Map;pieces
- 3D Puzzle;1.4;Castle Tower Globe Ship;50 pcs 0.7|120 pcs 1|250 pcs 1.5
- Floor Puzzle;0.9;Jungle Dinosaur Farm Ocean;24 pcs 0.8|48 pcs 1.15
Toys & Games;Plush & Dolls;1.3;9;60;
- Plush Bear;1;Classic Cuddly Honey Sleepy;measures
- Doll;1.2;Rag Fashion Fairy Baby;Small 0.75|Large 1.3
- Plush Dinosaur;1;Giant Baby Rainbow Friendly;measures
- Hand Puppet;0.6;Fox Dragon Rabbit Owl;Single 0.7|Set of 2 1.2|Set of 4 2
Books;Fiction;2.9;7;28;
- Harbor;1;novels;covers
- Garden;1;novels;covers
- Daughter;1;novels;covers
- Winter;1;novels;covers
- Letters;1;novels;covers
- River;1;novels;covers
- Lighthouse;1;novels;covers
- Orchard;1;novels;covers
- Island;1;novels;covers
- Promise;1;novels;covers
- Neighbour;1;novels;covers
- Summer;1;novels;covers
Books;Non-Fiction;2.0;10;38;
- History of Salt;1;facts;covers
- History of Maps;1;facts;covers
- Guide to Habits;1;facts;covers
- Guide to Better Sleep;1;facts;covers
- Science of Taste;1;facts;covers
- Art of Walking;1;facts;covers
- Story of Numbers;1;facts;covers
- Book of Trees;1;facts;covers
- Life of Bees;1;facts;covers
- Way of Water;1;facts;covers
Books;Children's Books;1.9;5;24;
- Dragon;1;stories;tales
- Bear;1;stories;tales
- Train;1;stories;tales
- Moon Picnic;1;stories;tales
- Fox;1;stories;tales
- Lighthouse Cat;1;stories;tales
- Snow Owl;1;stories;tales
- Pirate Ship;1;stories;tales
- Elephant;1;stories;tales
- Wizard School;1;stories;tales
Books;Cookbooks;1.0;14;45;
- Kitchen;1;cooking;dishes
- Bread Book;1;cooking;dishes
- One-Pot Suppers;1;cooking;dishes
- Vegetable Table;1;cooking;dishes
- Sunday Roasts;1;cooking;dishes
- Noodle Bowls;1;cooking;dishes
- Picnic Basket;1;cooking;dishes
- Soup Pot;1;cooking;dishes
Grocery;Coffee & Tea;3.3;5;34;1
- Coffee Beans;1.3;Organic Fair-Trade Dark-Roast Espresso Decaf;coffee
- Ground Coffee;1.1;Organic Fair-Trade Medium-Roast Breakfast;coffee
- Green Tea;0.7;Organic Jasmine Mint Classic;tea
- Breakfast Tea;0.7;Organic Classic Strong Decaf;tea
Grocery;Snacks;3.4;2;18;1
- Almonds;1.5;Roasted Salted Smoked Raw;snacks
- Crackers;0.7;Wholegrain Sea-Salt Rosemary Classic;snacks
- Granola Bars;1;Honey Oat-and-Nut Cranberry Chocolate;Single 0.3|6-Pack 1.2|12-Pack 2.1
- Tortilla Chips;0.8;Sea-Salt Chilli Lime Corn;snacks
- Dark Chocolate;0.9;Organic Sea-Salt Orange Fair-Trade;100 g 0.7|200 g 1.3|3 x 100 g 1.9
Grocery;Pantry;2.8;2;22;1
- Olive Oil;2;Extra-Virgin Organic Traditional;250 ml 0.5|500 ml 0.9|1 l 1.6
- Penne Pasta;0.6;Wholegrain Organic Traditional Bronze-Cut;staples
- Basmati Rice;0.9;Organic Classic Brown Aged;staples
- Tomato Sauce;0.6;Basil Spicy Traditional Roasted-Garlic;250 g 0.6|500 g 1|3 x 500 g 2.4
- Oats;0.7;Wholegrain Organic Rolled Steel-Cut;staples
Grocery;Beverages;2.0;3;30;1
- Sparkling Water;0.8;Natural Lime Grapefruit Lemon;cases
- Orange Juice;1;Fresh Organic Pulp-Free;cases
- Oat Milk;1;Organic Barista Unsweetened Vanilla;cases
- Lemonade;0.9;Cloudy Pink Traditional Ginger;cases
Health;Vitamins;2.6;7;48;1
- Vitamin C;0.8;Daily Advanced Chewable Time-Release;tablets
- Vitamin D3;0.8;Daily High-Strength Kids;tablets
- Multivitamin;1.1;Complete Daily Active Kids;tablets
- Omega-3;1.3;Pure High-Strength Daily;30 Capsules 0.6|60 Capsules 1|120 Capsules 1.75
- Magnesium;1;Daily Advanced Gentle;tablets
Health;First Aid;1.1;4;36;1
- Plasters;0.5;Waterproof Sensitive Fabric Kids;20 Pieces 0.6|40 Pieces 1|100 Pieces 2
- First Aid Kit;1.9;Home Travel Car Compact;40 Pieces 0.7|90 Pieces 1.1|150 Pieces 1.6
- Antiseptic Cream;0.7;Gentle Fast-Acting Soothing;30 g 0.8|50 g 1.2
- Thermometer;1.6;Digital Infrared Fast-Read;White 1|Blue 1
Health;Oral Care;1.9;3;60;1
- Toothpaste;0.5;Whitening Fresh-Mint Sensitive Kids;packs
- Mouthwash;0.6;Fresh-Mint Alcohol-Free Whitening;250 ml 0.6|500 ml 1|1 l 1.7
- Electric Toothbrush;5;Sonic Rechargeable Travel Kids;White 1|Black 1|Pink 1
- Dental Floss;0.4;Waxed Mint Expanding;packs
Health;Wellness;1.2;10;110;
- Massage Ball;0.5;Spiky Cork Peanut;Single 0.7|Set of 2 1.2
- Heating Pad;1.3;Electric Wheat Neck Back;Small 0.8|Large 1.2
- Aroma Diffuser;1.3;Ceramic Ultrasonic Bamboo;100 ml 0.75|300 ml 1.2
- Sleep Mask;0.6;Silk Contoured Cooling Weighted;colours
Pet Supplies;Dog Food;2.2;9;75;1
- Dry Dog Food;1.2;Grain-Free Puppy Senior Natural;dog
- Dog Treats;0.5;Chewy Natural Dental Training;treats
- Wet Dog Food;0.9;Chicken Beef Puppy Lamb;cans
Pet Supplies;Cat Food;2.0;7;60;1
- Dry Cat Food;1.2;Grain-Free Kitten Senior Indoor;cat
- Cat Treats;0.4;Salmon Crunchy Chicken Dental;60 g 0.6|120 g 1|250 g 1.8
- Wet Cat Food;0.9;Tuna Chicken Salmon Kitten;cans
Pet Supplies;Cat Litter;1.1;8;34;1
- Clumping Litter;1;Unscented Lavender Low-Dust Natural;sacks
- Wood Litter;0.9;Pine Natural Odour-Control;sacks
- Silica Litter;1.2;Crystal Low-Dust Odour-Control;sacks
Pet Supplies;Pet Toys;1.2;5;32;
- Chew Toy;0.9;Durable Squeaky Puppy Rubber;measures
- Feather Wand;0.7;Playful Extendable Bell;Single 0.8|2-Pack 1.3
- Rope Toy;0.8;Knotted Durable Cotton;measures
- Puzzle Feeder;1.5;Sliding Wobble Maze;measures
Office;Paper & Notebooks;1.6;4;42;1
- Notebook;0.8;Lined Dotted Recycled Hardcover;paper
- Printer Paper;1.1;Recycled Premium Everyday;reams
- Sticky Notes;0.6;Neon Pastel Recycled;3-Pack 0.6|6-Pack 1|12-Pack 1.8
- Planner;1.2;Weekly Daily Academic Undated;paper
Office;Writing;1.3;3;48;1
- Gel Pens;0.8;Smooth Fine-Tip Quick-Dry;pens
- Fountain Pen;2.5;Executive Classic Starter;inks
- Highlighters;0.7;Pastel Neon Chisel-Tip;4-Pack 0.7|6-Pack 1|10-Pack 1.5
- Pencils;0.6;Graphite Colour Mechanical;6-Pack 0.6|12-Pack 1|24-Pack 1.8
Office;Desk Accessories;1.0;9;120;
- Desk Lamp;1.4;Dimmable Compact Architect Clip-On;colours
- Monitor Stand;1.3;Wooden Adjustable Compact;colours
- Desk Organizer;0.8;Mesh Bamboo Rotating;colours
- Cable Tray;0.7;Under-Desk Compact Steel;Black 1|White 1|Silver 1
Office;Office Chairs;0.7;89;640;
- Office Chair;1;Ergonomic Executive Compact;colours
- Mesh Chair;1;Ergonomic High-Back Everyday;colours
- Drafting Chair;1;Adjustable Compact Classic;Black 1|Grey 1|White 1
- Kneeling Chair;0.7;Wooden Rocking Adjustable;Black 1|Grey 1|Beige 1
Garden;Plants & Seeds;1.4;3;42;1
- Tomato Seeds;0.5;Heirloom Cherry Beefsteak;seeds
- Lavender Plant;1.5;English French Hardy;pots
- Herb Kit;1.7;Kitchen Windowsill Italian;3 Herbs 0.75|5 Herbs 1.1|9 Herbs 1.7
- Wildflower Mix;0.7;Bee-Friendly Native Shade;50 g 0.6|100 g 1|500 g 3
Garden;Garden Tools;1.2;9;130;
- Pruning Shears;0.9;Bypass Ergonomic Heavy-Duty;18 cm 0.9|21 cm 1.1
- Trowel;0.5;Stainless-Steel Ergonomic Rustproof;Narrow 0.95|Wide 1.05
- Garden Hose;1.5;Expandable Heavy-Duty Kink-Free;10 m 0.65|20 m 1.05|30 m 1.45
- Rake;0.9;Steel Adjustable Leaf Bow;40 cm 0.85|60 cm 1.15
Garden;Outdoor Living;1.0;19;480;
- Garden Lantern;0.4;Solar Steel Hanging;measures
- Patio Chair;1.1;Folding Rattan Teak Stackable;Single 0.7|Set of 2 1.3|Set of 4 2.4
- Fire Pit;1.6;Steel Portable Cast-Iron;60 cm 0.8|80 cm 1.2
- Parasol;1.2;Tilting Cantilever Wooden;2 m 0.75|2.7 m 1|3.5 m 1.4
Garden;Soil & Care;0.9;6;34;1
- Potting Soil;0.9;Peat-Free Organic All-Purpose;sacks
- Plant Food;0.9;Organic Tomato Houseplant;feed
- Lawn Fertilizer;1.4;Spring Autumn Slow-Release;2 kg 0.6|5 kg 1.2|10 kg 2.1
- Mulch;0.9;Bark Cocoa-Shell Straw;sacks
"""
