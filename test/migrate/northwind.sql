-- The schema of the public Northwind database in a form for SQLite: its tables, keys, indexes (with the
-- name of the table before theirs) and views. The rows are our own.

CREATE TABLE [Categories] (
    [CategoryID] INTEGER PRIMARY KEY AUTOINCREMENT,
    [CategoryName] NVARCHAR(15) NOT NULL,
    [Description] NTEXT,
    [Picture] IMAGE
);

CREATE TABLE [CustomerDemographics] (
    [CustomerTypeID] NCHAR(10) NOT NULL,
    [CustomerDesc] NTEXT,
    PRIMARY KEY ([CustomerTypeID])
);

CREATE TABLE [Customers] (
    [CustomerID] NCHAR(5) NOT NULL,
    [CompanyName] NVARCHAR(40) NOT NULL,
    [ContactName] NVARCHAR(30),
    [ContactTitle] NVARCHAR(30),
    [Address] NVARCHAR(60),
    [City] NVARCHAR(15),
    [Region] NVARCHAR(15),
    [PostalCode] NVARCHAR(10),
    [Country] NVARCHAR(15),
    [Phone] NVARCHAR(24),
    [Fax] NVARCHAR(24),
    PRIMARY KEY ([CustomerID])
);

CREATE TABLE [CustomerCustomerDemo] (
    [CustomerID] NCHAR(5) NOT NULL,
    [CustomerTypeID] NCHAR(10) NOT NULL,
    PRIMARY KEY ([CustomerID], [CustomerTypeID]),
    FOREIGN KEY ([CustomerID]) REFERENCES [Customers] ([CustomerID]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([CustomerTypeID]) REFERENCES [CustomerDemographics] ([CustomerTypeID]) ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Employees] (
    [EmployeeID] INTEGER PRIMARY KEY AUTOINCREMENT,
    [LastName] NVARCHAR(20) NOT NULL,
    [FirstName] NVARCHAR(10) NOT NULL,
    [Title] NVARCHAR(30),
    [TitleOfCourtesy] NVARCHAR(25),
    [BirthDate] DATE,
    [HireDate] DATE,
    [Address] NVARCHAR(60),
    [City] NVARCHAR(15),
    [Region] NVARCHAR(15),
    [PostalCode] NVARCHAR(10),
    [Country] NVARCHAR(15),
    [HomePhone] NVARCHAR(24),
    [Extension] NVARCHAR(4),
    [Photo] IMAGE,
    [Notes] NTEXT,
    [ReportsTo] INTEGER,
    [PhotoPath] NVARCHAR(255),
    CONSTRAINT [CK_Birthdate] CHECK ([BirthDate] < '2100-01-01'),
    FOREIGN KEY ([ReportsTo]) REFERENCES [Employees] ([EmployeeID]) ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Regions] (
    [RegionID] INTEGER NOT NULL PRIMARY KEY,
    [RegionDescription] NCHAR(50) NOT NULL
);

CREATE TABLE [Territories] (
    [TerritoryID] NVARCHAR(20) NOT NULL,
    [TerritoryDescription] NCHAR(50) NOT NULL,
    [RegionID] INTEGER NOT NULL,
    PRIMARY KEY ([TerritoryID]),
    FOREIGN KEY ([RegionID]) REFERENCES [Regions] ([RegionID]) ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [EmployeeTerritories] (
    [EmployeeID] INTEGER NOT NULL,
    [TerritoryID] NVARCHAR(20) NOT NULL,
    PRIMARY KEY ([EmployeeID], [TerritoryID]),
    FOREIGN KEY ([EmployeeID]) REFERENCES [Employees] ([EmployeeID]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([TerritoryID]) REFERENCES [Territories] ([TerritoryID]) ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Suppliers] (
    [SupplierID] INTEGER PRIMARY KEY AUTOINCREMENT,
    [CompanyName] NVARCHAR(40) NOT NULL,
    [ContactName] NVARCHAR(30),
    [ContactTitle] NVARCHAR(30),
    [Address] NVARCHAR(60),
    [City] NVARCHAR(15),
    [Region] NVARCHAR(15),
    [PostalCode] NVARCHAR(10),
    [Country] NVARCHAR(15),
    [Phone] NVARCHAR(24),
    [Fax] NVARCHAR(24),
    [HomePage] NTEXT
);

CREATE TABLE [Shippers] (
    [ShipperID] INTEGER PRIMARY KEY AUTOINCREMENT,
    [CompanyName] NVARCHAR(40) NOT NULL,
    [Phone] NVARCHAR(24)
);

CREATE TABLE [Products] (
    [ProductID] INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    [ProductName] NVARCHAR(40) NOT NULL,
    [SupplierID] INTEGER,
    [CategoryID] INTEGER,
    [QuantityPerUnit] NVARCHAR(20),
    [UnitPrice] MONEY DEFAULT 0,
    [UnitsInStock] SMALLINT DEFAULT 0,
    [UnitsOnOrder] SMALLINT DEFAULT 0,
    [ReorderLevel] SMALLINT DEFAULT 0,
    [Discontinued] BIT NOT NULL DEFAULT '0',
    CONSTRAINT [CK_Products_UnitPrice] CHECK ([UnitPrice] >= (0)),
    CONSTRAINT [CK_ReorderLevel] CHECK ([ReorderLevel] >= (0)),
    CONSTRAINT [CK_UnitsInStock] CHECK ([UnitsInStock] >= (0)),
    CONSTRAINT [CK_UnitsOnOrder] CHECK ([UnitsOnOrder] >= (0)),
    FOREIGN KEY ([CategoryID]) REFERENCES [Categories] ([CategoryID]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([SupplierID]) REFERENCES [Suppliers] ([SupplierID]) ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Orders] (
    [OrderID] INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    [CustomerID] NCHAR(5),
    [EmployeeID] INTEGER,
    [OrderDate] DATETIME,
    [RequiredDate] DATETIME,
    [ShippedDate] DATETIME,
    [ShipVia] INTEGER,
    [Freight] MONEY DEFAULT 0,
    [ShipName] NVARCHAR(40),
    [ShipAddress] NVARCHAR(60),
    [ShipCity] NVARCHAR(15),
    [ShipRegion] NVARCHAR(15),
    [ShipPostalCode] NVARCHAR(10),
    [ShipCountry] NVARCHAR(15),
    FOREIGN KEY ([EmployeeID]) REFERENCES [Employees] ([EmployeeID]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([CustomerID]) REFERENCES [Customers] ([CustomerID]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([ShipVia]) REFERENCES [Shippers] ([ShipperID]) ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Order Details] (
    [OrderID] INTEGER NOT NULL,
    [ProductID] INTEGER NOT NULL,
    [UnitPrice] MONEY NOT NULL DEFAULT 0,
    [Quantity] SMALLINT NOT NULL DEFAULT 1,
    [Discount] REAL NOT NULL DEFAULT 0,
    PRIMARY KEY ([OrderID], [ProductID]),
    CONSTRAINT [CK_Discount] CHECK ([Discount] >= (0) AND [Discount] <= (1)),
    CONSTRAINT [CK_Quantity] CHECK ([Quantity] > (0)),
    CONSTRAINT [CK_UnitPrice] CHECK ([UnitPrice] >= (0)),
    FOREIGN KEY ([OrderID]) REFERENCES [Orders] ([OrderID]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([ProductID]) REFERENCES [Products] ([ProductID]) ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE INDEX [CategoriesCategoryName] ON [Categories] ([CategoryName]);
CREATE INDEX [CustomersCity] ON [Customers] ([City]);
CREATE INDEX [CustomersCompanyName] ON [Customers] ([CompanyName]);
CREATE INDEX [CustomersPostalCode] ON [Customers] ([PostalCode]);
CREATE INDEX [CustomersRegion] ON [Customers] ([Region]);
CREATE INDEX [EmployeesLastName] ON [Employees] ([LastName]);
CREATE INDEX [EmployeesPostalCode] ON [Employees] ([PostalCode]);
CREATE INDEX [Order Details OrderID] ON [Order Details] ([OrderID]);
CREATE INDEX [Order Details ProductID] ON [Order Details] ([ProductID]);
CREATE INDEX [OrdersCustomerID] ON [Orders] ([CustomerID]);
CREATE INDEX [OrdersEmployeeID] ON [Orders] ([EmployeeID]);
CREATE INDEX [OrdersOrderDate] ON [Orders] ([OrderDate]);
CREATE INDEX [OrdersShippedDate] ON [Orders] ([ShippedDate]);
CREATE INDEX [OrdersShipPostalCode] ON [Orders] ([ShipPostalCode]);
CREATE INDEX [ProductsCategoryID] ON [Products] ([CategoryID]);
CREATE INDEX [ProductsProductName] ON [Products] ([ProductName]);
CREATE INDEX [ProductsSupplierID] ON [Products] ([SupplierID]);
CREATE INDEX [SuppliersCompanyName] ON [Suppliers] ([CompanyName]);
CREATE INDEX [SuppliersPostalCode] ON [Suppliers] ([PostalCode]);

CREATE VIEW [Alphabetical list of products] AS
SELECT Products.*, Categories.CategoryName
FROM Categories INNER JOIN Products ON Categories.CategoryID = Products.CategoryID
WHERE (((Products.Discontinued) = 0));

CREATE VIEW [Current Product List] AS
SELECT ProductID, ProductName
FROM Products
WHERE Discontinued = 0;

CREATE VIEW [Customer and Suppliers by City] AS
SELECT City, CompanyName, ContactName, 'Customers' AS Relationship
FROM Customers
UNION
SELECT City, CompanyName, ContactName, 'Suppliers'
FROM Suppliers
ORDER BY City, CompanyName;

CREATE VIEW [Order Details Extended] AS
SELECT "Order Details".OrderID, "Order Details".ProductID, Products.ProductName, "Order Details".UnitPrice,
    "Order Details".Quantity, "Order Details".Discount,
    ("Order Details".UnitPrice * Quantity * (1 - Discount) / 100) * 100 AS ExtendedPrice
FROM Products INNER JOIN "Order Details" ON Products.ProductID = "Order Details".ProductID;

CREATE VIEW [Order Subtotals] AS
SELECT "Order Details".OrderID, sum(("Order Details".UnitPrice * Quantity * (1 - Discount) / 100) * 100) AS Subtotal
FROM "Order Details"
GROUP BY "Order Details".OrderID;

CREATE VIEW [Invoices] AS
SELECT Orders.ShipName, Orders.ShipAddress, Orders.ShipCity, Orders.ShipRegion, Orders.ShipPostalCode, Orders.ShipCountry,
    Orders.CustomerID, Customers.CompanyName AS CustomerName, Customers.Address, Customers.City, Customers.Region,
    Customers.PostalCode, Customers.Country, (Employees.FirstName || ' ' || Employees.LastName) AS Salesperson,
    Orders.OrderID, Orders.OrderDate, Orders.RequiredDate, Orders.ShippedDate, Shippers.CompanyName AS ShipperName,
    [Order Details].ProductID, Products.ProductName, [Order Details].UnitPrice, [Order Details].Quantity,
    [Order Details].Discount, ((([Order Details].UnitPrice * Quantity * (1 - Discount)) / 100) * 100) AS ExtendedPrice,
    Orders.Freight
FROM Customers
    JOIN Orders ON Customers.CustomerID = Orders.CustomerID
    JOIN Employees ON Employees.EmployeeID = Orders.EmployeeID
    JOIN [Order Details] ON Orders.OrderID = [Order Details].OrderID
    JOIN Products ON Products.ProductID = [Order Details].ProductID
    JOIN Shippers ON Shippers.ShipperID = Orders.ShipVia;

CREATE VIEW [Orders Qry] AS
SELECT Orders.OrderID, Orders.CustomerID, Orders.EmployeeID, Orders.OrderDate, Orders.RequiredDate, Orders.ShippedDate,
    Orders.ShipVia, Orders.Freight, Orders.ShipName, Orders.ShipAddress, Orders.ShipCity, Orders.ShipRegion,
    Orders.ShipPostalCode, Orders.ShipCountry, Customers.CompanyName, Customers.Address, Customers.City, Customers.Region,
    Customers.PostalCode, Customers.Country
FROM Customers INNER JOIN Orders ON Customers.CustomerID = Orders.CustomerID;

CREATE VIEW [Product Sales for 1997] AS
SELECT Categories.CategoryName, Products.ProductName,
    sum(("Order Details".UnitPrice * Quantity * (1 - Discount) / 100) * 100) AS ProductSales
FROM (Categories INNER JOIN Products ON Categories.CategoryID = Products.CategoryID)
    INNER JOIN (Orders INNER JOIN "Order Details" ON Orders.OrderID = "Order Details".OrderID)
    ON Products.ProductID = "Order Details".ProductID
WHERE (((Orders.ShippedDate) BETWEEN DATETIME('1997-01-01') AND DATETIME('1997-12-31')))
GROUP BY Categories.CategoryName, Products.ProductName;

CREATE VIEW [Category Sales for 1997] AS
SELECT [Product Sales for 1997].CategoryName, sum([Product Sales for 1997].ProductSales) AS CategorySales
FROM [Product Sales for 1997]
GROUP BY [Product Sales for 1997].CategoryName;

CREATE VIEW [Products Above Average Price] AS
SELECT Products.ProductName, Products.UnitPrice
FROM Products
WHERE Products.UnitPrice > (SELECT avg(UnitPrice) FROM Products);

CREATE VIEW [Products by Category] AS
SELECT Categories.CategoryName, Products.ProductName, Products.QuantityPerUnit, Products.UnitsInStock, Products.Discontinued
FROM Categories INNER JOIN Products ON Categories.CategoryID = Products.CategoryID
WHERE Products.Discontinued <> 1;

CREATE VIEW [Quarterly Orders] AS
SELECT DISTINCT Customers.CustomerID, Customers.CompanyName, Customers.City, Customers.Country
FROM Customers JOIN Orders ON Customers.CustomerID = Orders.CustomerID
WHERE Orders.OrderDate BETWEEN DATETIME('1997-01-01') AND DATETIME('1997-12-31');

CREATE VIEW [Sales Totals by Amount] AS
SELECT [Order Subtotals].Subtotal AS SaleAmount, Orders.OrderID, Customers.CompanyName, Orders.ShippedDate
FROM Customers JOIN (Orders JOIN [Order Subtotals] ON Orders.OrderID = [Order Subtotals].OrderID)
    ON Customers.CustomerID = Orders.CustomerID
WHERE ([Order Subtotals].Subtotal > 2500) AND (Orders.ShippedDate BETWEEN DATETIME('1997-01-01') AND DATETIME('1997-12-31'));

CREATE VIEW [Sales by Category] AS
SELECT Categories.CategoryID, Categories.CategoryName, Products.ProductName,
    sum([Order Details Extended].ExtendedPrice) AS ProductSales
FROM Categories
    JOIN Products ON Categories.CategoryID = Products.CategoryID
    JOIN [Order Details Extended] ON Products.ProductID = [Order Details Extended].ProductID
    JOIN Orders ON Orders.OrderID = [Order Details Extended].OrderID
WHERE Orders.OrderDate BETWEEN DATETIME('1997-01-01') AND DATETIME('1997-12-31')
GROUP BY Categories.CategoryID, Categories.CategoryName, Products.ProductName;

CREATE VIEW [Summary of Sales by Quarter] AS
SELECT Orders.ShippedDate, Orders.OrderID, [Order Subtotals].Subtotal
FROM Orders INNER JOIN [Order Subtotals] ON Orders.OrderID = [Order Subtotals].OrderID
WHERE Orders.ShippedDate IS NOT NULL;

CREATE VIEW [Summary of Sales by Year] AS
SELECT Orders.ShippedDate, Orders.OrderID, [Order Subtotals].Subtotal
FROM Orders INNER JOIN [Order Subtotals] ON Orders.OrderID = [Order Subtotals].OrderID
WHERE Orders.ShippedDate IS NOT NULL;

INSERT INTO [Categories] ([CategoryID], [CategoryName], [Description], [Picture]) VALUES
    (1, 'Drinks', 'Tea, coffee, juice', x'424d'), (2, 'Spices', NULL, NULL), (3, 'Bread', 'It''s baked daily', NULL);
INSERT INTO [CustomerDemographics] VALUES ('RETAIL', 'Shops'), ('HORECA', NULL);
INSERT INTO [Customers] ([CustomerID], [CompanyName], [ContactName], [City], [PostalCode], [Country]) VALUES
    ('ALMAX', 'Alma Export', 'Alma Ruiz', 'Sevilla', '41001', 'Spain'),
    ('BREDA', 'Bredas Café', 'Nils Breda', 'Lund', '222 22', 'Sweden'),
    ('CORTO', 'Corto & Figli', NULL, 'Genova', NULL, 'Italy'),
    ('DUNES', 'Dunes Hotel', 'Aïcha Naji', 'Agadir', NULL, 'Morocco');
INSERT INTO [CustomerCustomerDemo] VALUES ('ALMAX', 'RETAIL'), ('BREDA', 'HORECA'), ('DUNES', 'HORECA');
INSERT INTO [Employees] ([EmployeeID], [LastName], [FirstName], [Title], [BirthDate], [HireDate], [City], [Country], [Photo], [ReportsTo]) VALUES
    (1, 'Ferro', 'Anna', 'Vice President, Sales', '1962-02-19', '1992-08-14', 'Tacoma', 'USA', x'00ff', NULL),
    (2, 'Hughes', 'Dan', 'Sales Representative', '1969-07-02', '1994-11-15', 'London', 'UK', NULL, 1),
    (3, 'Ito', 'Mika', 'Sales Representative', NULL, NULL, NULL, NULL, NULL, 1),
    (4, 'Jansen', 'Piet', NULL, '1970-01-01', '1993-05-03', 'London', 'UK', NULL, 2);
INSERT INTO [Regions] VALUES (1, 'Eastern'), (2, 'Western');
INSERT INTO [Territories] VALUES ('01581', 'Westboro', 1), ('98004', 'Bellevue', 2), ('98104', 'Seattle', 2);
INSERT INTO [EmployeeTerritories] VALUES (1, '98004'), (1, '98104'), (2, '01581');
INSERT INTO [Suppliers] ([SupplierID], [CompanyName], [City], [Country], [HomePage]) VALUES
    (1, 'Leaf & Bean', 'London', 'UK', NULL), (2, 'Molino Rosso', 'Parma', 'Italy', '#https://example.com#'), (3, 'Saffron Road', 'Mashhad', 'Iran', NULL);
INSERT INTO [Shippers] VALUES (1, 'Fast Parcel', '(503) 555-0199'), (2, 'Slow Boat', NULL);
INSERT INTO [Products] VALUES
    (1, 'Green Tea', 1, 1, '10 boxes x 20 bags', 18, 39, 0, 10, 0),
    (2, 'Dark Roast', 1, 1, '24 - 500 g bags', 19.5, 17, 40, 25, 0),
    (3, 'Saffron', 3, 2, '12 - 2 g tins', 90, 3, 70, 5, 0),
    (4, 'Rye Bread', 2, 3, NULL, 4.25, 120, 0, 20, 0),
    (5, 'Ciabatta', 2, 3, '6 pieces', 5, 0, 0, 0, 1);
INSERT INTO [Orders] ([OrderID], [CustomerID], [EmployeeID], [OrderDate], [RequiredDate], [ShippedDate], [ShipVia], [Freight], [ShipName], [ShipCity], [ShipCountry]) VALUES
    (10248, 'ALMAX', 2, '1996-07-04 00:00:00', '1996-08-01 00:00:00', '1996-07-16 00:00:00', 1, 32.38, 'Alma Export', 'Sevilla', 'Spain'),
    (10249, 'BREDA', 3, '1997-07-05 00:00:00', '1997-08-16 00:00:00', '1997-07-10 00:00:00', 1, 11.61, 'Bredas Café', 'Lund', 'Sweden'),
    (10250, 'DUNES', 2, '1997-07-08 00:00:00', '1997-08-05 00:00:00', '1997-07-12 00:00:00', 2, 65.83, 'Dunes Hotel', 'Agadir', 'Morocco'),
    (10251, 'ALMAX', 4, '1998-07-08 00:00:00', NULL, NULL, 2, 0, 'Alma Export', 'Sevilla', 'Spain'),
    (10252, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO [Order Details] VALUES
    (10248, 1, 14, 12, 0), (10248, 4, 4, 10, 0), (10249, 2, 18.6, 9, 0.15), (10249, 3, 90, 40, 0), (10250, 1, 18, 10, 0),
    (10250, 5, 5, 35, 0.25), (10251, 2, 19.5, 6, 0.05), (10251, 4, 4.25, 15, 0.05), (10252, 3, 90, 1, 0);
